import type { Level } from 'pino';
import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';
import type { ToldEjection } from '../cluster/other-workers.ts';
import type { ApplyProblem, ClusterLoad, ClusterStatus, Lateness, ListenerStatus, ListeningSocket } from '../engine.ts';
import type { TakenOver } from '../socket/listening-sockets.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { TracingSetup } from '../tracing/start-tracing.ts';
import type { TablesChange } from './tables-change.ts';

/** What a thread is started with. */
export interface WorkerSetup {
  readonly worker: number;
  readonly logLevel: Level | 'silent';
  /** Stands in every log line. */
  readonly component: string;
  /** Its share of the listening sockets of the process before. */
  readonly takenOver: TakenOver;
  /** Undefined: no spans are sent. */
  readonly tracing: TracingSetup | undefined;
}

/** A worker's numbers as they cross threads: structured clones, so classes come out as their fields. */
export interface WorkerFigures {
  readonly telemetry: Omit<Telemetry, 'onTlsRefused'>;
  readonly load: readonly ClusterLoad[];
  readonly clusters: readonly ClusterStatus[];
  readonly listeners: readonly ListenerStatus[];
  readonly lateness: Lateness;
}

/** What a worker is asked, and what it answers. */
export interface Questions {
  readonly identity: { readonly asks: MeshIdentity; readonly answers: undefined };
  readonly apply: {
    readonly asks: TablesChange;
    readonly answers: { readonly problems: readonly ApplyProblem[]; readonly ready: boolean };
  };
  /** By another worker. */
  readonly ejected: { readonly asks: ToldEjection; readonly answers: undefined };
  readonly figures: { readonly asks: undefined; readonly answers: WorkerFigures };
  /** A deadline in milliseconds. */
  readonly drain: { readonly asks: number; readonly answers: undefined };
  readonly listening: { readonly asks: undefined; readonly answers: readonly ListeningSocket[] };
  readonly leave: { readonly asks: undefined; readonly answers: undefined };
  /** A deadline in milliseconds. */
  readonly idle: { readonly asks: number; readonly answers: undefined };
  readonly close: { readonly asks: undefined; readonly answers: undefined };
}

export type Question = {
  readonly [Kind in keyof Questions]: {
    readonly id: number;
    readonly kind: Kind;
    readonly asks: Questions[Kind]['asks'];
  };
}[keyof Questions];

/** What a worker tells unasked. */
export interface News {
  readonly ejected: ToldEjection;
}

export interface Answer {
  readonly id: number;
  readonly answer?: unknown;
  /** In words: it could not be done. */
  readonly error?: string;
}
