import type { Readable, Writable } from 'node:stream';

/**
 * What runs containers. The agent's workers know pods, probes and the API; a driver knows how to run one container and
 * what became of it. Every driver passes conformance.ts.
 *
 * A container here is one run: a restart is a new container with the next attempt. What runs must survive the death of
 * the agent; `adopt` finds it again.
 */

/** Names one run of one container, for ever. */
export interface ContainerKey {
  readonly podUid: string;
  readonly container: string;
  /** 0 for the first run; the restart count of the status. */
  readonly attempt: number;
}

/** Where a volume's content is on the node, and where the container expects it. */
export interface Mount {
  readonly mountPath: string;
  readonly sourcePath: string;
  /** Given to every container, not asked for: no notice of where it is. */
  readonly isImplied?: true;
}

export interface ContainerConfig {
  readonly key: ContainerKey;
  readonly namespace: string;
  readonly podName: string;
  /** As the Pod says it; the driver has pulled it. */
  readonly image: string;
  /** Instead of the image's ENTRYPOINT; empty for the image's own. `$(VAR)` is expanded already. */
  readonly command: readonly string[];
  /** Instead of the image's CMD; empty for the image's own. */
  readonly args: readonly string[];
  /** Wins over the image's ENV. */
  readonly env: Readonly<Record<string, string>>;
  readonly workingDir?: string;
  readonly user?: { readonly uid?: number; readonly gid?: number };
  readonly mounts: readonly Mount[];
  readonly resources?: ContainerResources;
  /** The caller's own notes: kept with the run, also for the next agent, and given back in its status. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** What a container may use. A driver that cannot see to a limit says so in a notice. */
export interface ContainerResources {
  /** Its share when the processors are busy, in thousandths of one. */
  readonly cpuRequestMillis?: number;
  /** Never more than this, in thousandths of a processor. */
  readonly cpuLimitMillis?: number;
  readonly memoryLimitBytes?: number;
}

/** created: known, nothing runs yet. running: its first process runs. exited: it ended, and why is known. */
export type ContainerState =
  | { readonly type: 'created' }
  | { readonly type: 'running'; readonly startedAtMs: number; readonly pid: number }
  | {
      readonly type: 'exited';
      readonly startedAtMs: number;
      readonly finishedAtMs: number;
      readonly exitCode: number;
      /** The signal that ended it, as a number. */
      readonly signal?: number;
      /** The kernel ended it for using more memory than its limit. */
      readonly isOutOfMemory?: true;
      /** What more is known than the code. */
      readonly message?: string;
    };

export interface ContainerStatus {
  readonly key: ContainerKey;
  /** Unique, with the driver's scheme: `process://<pod uid>/<container>/<attempt>`. */
  readonly id: string;
  readonly image: string;
  readonly imageId: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: ContainerState;
}

/** Why an image cannot be had. `reason` is the kubelet's word: `ErrImagePull`, `InvalidImageName`. */
export type PullResult =
  | { readonly ok: true; readonly imageId: string; readonly message: string }
  | { readonly ok: false; readonly reason: 'ErrImagePull' | 'InvalidImageName'; readonly message: string };

/** `reason` is the kubelet's word for a container that could not be made or started. */
export type StartResult =
  | { readonly ok: true; readonly notices: readonly string[] }
  | { readonly ok: false; readonly reason: 'CreateContainerError' | 'RunContainerError'; readonly message: string };

export interface StopOptions {
  /** Between the stop signal and the kill. */
  readonly graceMs: number;
}

export interface LogOptions {
  readonly follow?: true;
  readonly tailLines?: number;
  readonly sinceMs?: number;
  readonly timestamps?: true;
  readonly limitBytes?: number;
  /** Ends a follow. */
  readonly signal: AbortSignal;
}

export interface ContainerUsage {
  /** CPU used since the container's start, by what still runs and what it has waited for. */
  readonly cpuNanoseconds: number;
  readonly memoryBytes: number;
}

export interface ExecResult {
  /** Undefined when it did not end in time and was killed. */
  readonly exitCode: number | undefined;
  /** Standard output and error together, cut after `maxOutputBytes`. */
  readonly output: string;
}

export interface ExecOptions {
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
}

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

export interface OpenExecOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  /** Never with a terminal: its output is one. */
  readonly stderr: boolean;
  readonly terminal?: true;
}

/** A command that runs inside a container, with the streams that were asked for. */
export interface ExecSession {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  /** Its exit code, 128 and the signal's number after a signal; when all of its output has been read. */
  readonly exited: Promise<number>;
  /** Nothing where there is no terminal. */
  resize(size: TerminalSize): void;
  /** Resolves when nothing that the command started is left. Rejects when some of it could not be killed. */
  kill(): Promise<void>;
}

export type OpenExecResult =
  | { readonly ok: true; readonly session: ExecSession }
  | { readonly ok: false; readonly message: string };

export interface Runtime {
  /** The scheme of its container ids. */
  readonly name: string;
  /** Finds again what an earlier agent started. Call once, before anything else. */
  adopt(): Promise<readonly ContainerStatus[]>;
  /** Makes the image available. A container with a command of its own may do without one, if the driver can. */
  pull(image: string, container: { readonly hasCommand: boolean }): Promise<PullResult>;
  /** Makes the container known; nothing runs yet. The same key twice is an error of the caller. */
  create(config: ContainerConfig): Promise<StartResult>;
  /** Runs it. When it resolves, who it is has been written down. */
  start(key: ContainerKey): Promise<StartResult>;
  /** Stop signal, grace, kill. Resolves when nothing that the container started is left. Idempotent. */
  stop(key: ContainerKey, options: StopOptions): Promise<void>;
  /** Forgets a container that does not run, with its log. Idempotent. */
  remove(key: ContainerKey): Promise<void>;
  status(key: ContainerKey): ContainerStatus | undefined;
  list(podUid?: string): readonly ContainerStatus[];
  /** Called with each container whose state has changed by itself. */
  onExit(listener: (key: ContainerKey) => void): void;
  logs(key: ContainerKey, options: LogOptions): AsyncIterable<Uint8Array>;
  usage(keys: readonly ContainerKey[]): readonly (ContainerUsage | undefined)[];
  exec(key: ContainerKey, command: readonly string[], options: ExecOptions): Promise<ExecResult>;
  /** As `exec`, with streams, and for as long as it takes. Ends with the container. */
  openExec(key: ContainerKey, command: readonly string[], options: OpenExecOptions): Promise<OpenExecResult>;
  /** Lets go of everything and leaves the containers running. */
  close(): Promise<void>;
}

export function keyText(key: ContainerKey): string {
  return `${key.podUid}/${key.container}/${key.attempt}`;
}
