import type { Client } from '../../api/client/client.ts';
import type { StreamSocket } from '../../api/client/stream-socket.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Terminal } from '../output/terminal.ts';

/** What every command that talks to a cluster is given. Built once, in cli/main.ts. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly clock: Clock;
  /** Aborts on Ctrl-C. A command that has something to finish does so and says it. */
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Opened on first use; throws CommandError with what to do when there is no kubeconfig. */
  readonly connect: (options: ConnectOptions) => Promise<Cluster>;
}

export interface ConnectOptions {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
}

/** An open way to an API server. */
export interface Cluster {
  readonly client: Client;
  readonly server: string;
  /** The client certificate that the kubeconfig holds, when it holds one. */
  readonly certificatePem: string | undefined;
  /** The kubeconfig's namespace, `default` when it names none. */
  readonly namespace: string;
  /** A JSON answer from a path that is no object of a kind: tables, metrics, version. Throws ApiError. */
  readonly get: (path: string, accept?: string) => Promise<unknown>;
  /** The JSON answer to a question that is posted. Throws ApiError. */
  readonly post: (path: string, body: object) => Promise<unknown>;
  /** An answer as it comes, line by line or in chunks: logs and watches. Throws ApiError. */
  readonly stream: (path: string, signal: AbortSignal, accept?: string) => AsyncIterable<Buffer>;
  /** exec, attach and port-forward of a pod, as a WebSocket. Throws ApiError. */
  readonly openStream: (path: string) => Promise<StreamSocket>;
  readonly close: () => Promise<void>;
}
