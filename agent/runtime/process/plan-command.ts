import type { ContainerConfig } from '../runtime.ts';
import type { HostCommand } from './host/supervisor.ts';
import { commandLine } from './image/command-line.ts';
import type { ImageFolder } from './image/image-folder.ts';
import { type PlacedMount, placeMounts } from './mount-links.ts';
import { type Relocation, relocate } from './relocate.ts';

/** Tells an app that wants to know where its volumes are. */
const VOLUME_ROOT = 'TUTTI_VOLUME_ROOT';

export interface CommandPlanInput {
  readonly config: ContainerConfig;
  /** Undefined: the container names no known image and runs its command as it is. */
  readonly image: ImageFolder | undefined;
  /** What programs get of the agent's own environment. */
  readonly hostEnv: Readonly<Record<string, string>>;
  /** Comes first in PATH, so that `node` is the one that we brought. */
  readonly nodeFolder: string | undefined;
  /** `<pod>/volumes/<container>`: the container's mounts are under it, by their mount paths. */
  readonly volumeRoot: string;
  /** The working directory of a container without an image. */
  readonly scratchFolder: string;
}

export type CommandPlan =
  | { readonly ok: true; readonly command: Omit<HostCommand, 'uid' | 'gid'>; readonly mounts: readonly PlacedMount[] }
  | { readonly ok: false; readonly message: string };

/**
 * What the host runs for a container. Host processes share one file system, so a path that means something else to the
 * container is replaced in the command line, the environment and the working directory: a mount path by the volume's
 * place, and the image's WORKDIR (unless it is `/`) by the image's folder.
 */
export function planCommand(input: CommandPlanInput): CommandPlan {
  const { config, image, volumeRoot } = input;
  const mounts = placeMounts(volumeRoot, config.mounts);
  const relocations = relocationsOf(mounts, image);
  const argv = commandLine({
    entrypoint: image?.config.entrypoint ?? [],
    cmd: image?.config.cmd ?? [],
    command: config.command,
    args: config.args,
  });
  if (argv.length === 0)
    return { ok: false, message: `no command specified, neither by the Pod nor by image "${config.image}"` };
  const moved = (text: string): string => relocate(text, relocations);
  const own = Object.entries({ ...image?.config.env, ...config.env }).map(([name, value]) => [name, moved(value)]);
  const env: Record<string, string> = { ...withNode(input), ...Object.fromEntries(own), [VOLUME_ROOT]: volumeRoot };
  const cwd = config.workingDir === undefined ? (image?.folder ?? input.scratchFolder) : moved(config.workingDir);
  return { ok: true, command: { argv: argv.map(moved), env, cwd }, mounts };
}

function relocationsOf(mounts: readonly PlacedMount[], image: ImageFolder | undefined): readonly Relocation[] {
  const relocations = mounts
    .map(({ mountPath, place }) => ({ from: trimmed(mountPath), to: place }))
    .filter(({ from }) => from !== '');
  const workdir = image?.config.workdir ?? '/';
  return image === undefined || workdir === '/' ? relocations : [...relocations, { from: workdir, to: image.folder }];
}

/** The bundled Node first, so that `node` is that one. */
function withNode({ hostEnv, nodeFolder }: CommandPlanInput): Readonly<Record<string, string>> {
  return nodeFolder === undefined ? hostEnv : { ...hostEnv, PATH: `${nodeFolder}:${hostEnv['PATH'] ?? ''}` };
}

function trimmed(path: string): string {
  return path.replace(/\/+$/, '');
}
