import type { ContainerState } from '../runtime/runtime.ts';

export interface ExitFacts {
  readonly state: ContainerState & { readonly type: 'exited' };
  /** Of the signal that ended it: `SIGKILL`. */
  readonly signalName: string | undefined;
  /** The limit as the Pod says it: `64Mi`. */
  readonly memoryLimit: string | undefined;
  /** What the probe said for which it was stopped: `liveness probe failed: …`. */
  readonly failedProbe: string | undefined;
}

/** What an event and a status repeat of a log. */
const MAX_LINES = 5;
const MAX_LINE_CHARACTERS = 200;
const MAX_PROBE_CHARACTERS = 500;

/** How a run ended, in half a sentence: `exited with code 3`. */
export function explainExit({ state, signalName, memoryLimit, failedProbe }: ExitFacts): string {
  const how =
    signalName === undefined
      ? `exited with code ${state.exitCode}`
      : `was ended by ${signalName} (exit code ${state.exitCode})`;
  if (state.isOutOfMemory === true) {
    // Without a limit it was the machine's memory that ran out: the kernel counts that kill too.
    const why =
      memoryLimit === undefined
        ? 'was killed when memory ran out'
        : `used more than its memory limit of ${memoryLimit} and was killed`;
    return `${why} (OOMKilled, exit code ${state.exitCode})`;
  }
  const told = state.message === undefined ? how : `${how}: ${state.message}`;
  if (failedProbe === undefined) return told;
  return `${told}, stopped because its ${cut(failedProbe.trim(), MAX_PROBE_CHARACTERS)}`;
}

/** The last lines of a log as a paragraph, or nothing when it said nothing. */
export function lastLines(log: string): string {
  const lines = endOf(log);
  return lines.length === 0 ? '' : `; the last of its log:\n  ${lines.join('\n  ')}`;
}

/** The same for an event: lists of those have a line for each. */
export function oneLine(log: string): string {
  const lines = endOf(log).map((line) => line.trim());
  return lines.length === 0 ? '' : `; its last words: ${lines.join(' / ')}`;
}

function endOf(log: string): readonly string[] {
  const lines = log.split('\n').filter((line) => line.trim() !== '');
  return lines.slice(-MAX_LINES).map((line) => cut(line.trimEnd(), MAX_LINE_CHARACTERS));
}

function cut(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, characters)}…`;
}
