/** ENTRYPOINT and CMD of an image, command and args of a Pod. */
export interface CommandSources {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly command: readonly string[];
  readonly args: readonly string[];
}

/**
 * What runs, by the table of kubernetes.io/docs "Define a Command and Arguments": a command takes the place of
 * ENTRYPOINT and of CMD, args take the place of CMD alone. Empty when nobody says.
 */
export function commandLine({ entrypoint, cmd, command, args }: CommandSources): readonly string[] {
  if (command.length > 0) return [...command, ...args];
  return args.length > 0 ? [...entrypoint, ...args] : [...entrypoint, ...cmd];
}
