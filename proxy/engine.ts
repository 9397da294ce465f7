import type { MeshIdentity } from '../certs/workload/mesh-identity.ts';
import type { ToldEjection } from './cluster/other-workers.ts';
import type { EjectionCause } from './cluster/outlier-detection.ts';
import type { ProxyTables } from './tables.ts';
import type { Telemetry } from './telemetry/telemetry.ts';

/** A resource that could not be put to work; the engine goes on with what it had for that name. */
export interface ApplyProblem {
  readonly resource: 'listener' | 'route-table' | 'cluster';
  readonly name: string;
  readonly message: string;
}

/**
 * Sums since the cluster came to this engine: what LRS reports. They begin at 0 again when a cluster has left the tables
 * and comes back.
 */
export interface ClusterLoad {
  readonly cluster: string;
  readonly service: string;
  /** Tries begun; a request that is repeated counts once for each try. */
  readonly total: number;
  readonly success: number;
  /** Answers of 5xx and tries that failed without an answer. A try whose client went away is neither. */
  readonly error: number;
  /** Requests in flight. */
  readonly active: number;
  /** Endpoints that take no requests for a while, because of their answers. */
  readonly ejections: readonly Ejection[];
}

export interface Ejection {
  readonly address: string;
  readonly cause: EjectionCause;
  /** Milliseconds since the epoch, to the second; the detection looks every interval, so it may be as much later. */
  readonly untilMs: number;
}

export interface ListenerStatus {
  readonly name: string;
  readonly address: string;
  /** The bound one, also where the configuration says 0. */
  readonly port: number;
  readonly connections: number;
}

export interface ClusterStatus {
  readonly name: string;
  readonly service: string;
  readonly policy: string;
  readonly active: number;
  readonly retries: number;
  /** Picks that overlooked ejections, because too few endpoints were left. */
  readonly panics: number;
  /** Undefined where the cluster has no outlier detection. */
  readonly outliers: OutlierStatus | undefined;
  readonly endpoints: readonly EndpointStatus[];
}

interface OutlierStatus {
  /** Ejections made, by cause. */
  readonly enforced: Readonly<Record<EjectionCause, number>>;
  /** Ejections that the share of those ejected did not allow. */
  readonly overflow: number;
}

interface EndpointStatus {
  readonly address: string;
  readonly weight: number;
  readonly healthy: boolean;
  /** Refused connections lately; others are asked first. */
  readonly avoided: boolean;
  /** Takes no requests for a while, because of its answers. */
  readonly ejected: boolean;
  readonly ejections: number;
  readonly active: number;
  readonly idleConnections: number;
  readonly connectionsOpened: number;
  readonly connectFailures: number;
}

/** One worker of this process, numbered from 0. */
export interface WorkerStatus {
  readonly worker: number;
  /** It runs and has what was applied last. */
  readonly ready: boolean;
  /** Times that it was started again after it had failed. */
  readonly restarts: number;
  /** Finished since the process began. */
  readonly requests: number;
}

/** How late an event loop was since it was last asked, in seconds. */
export interface Lateness {
  readonly p50: number;
  readonly p99: number;
}

/** The numbers of one moment: of one engine, or of all workers together. */
export interface Figures {
  readonly telemetry: Telemetry;
  load(): readonly ClusterLoad[];
  listeners(): readonly ListenerStatus[];
  clusters(): readonly ClusterStatus[];
  workers(): readonly WorkerStatus[];
  /** Of the worker that was latest; missing where the engine runs in the thread that asks. */
  readonly lateness?: Lateness;
}

/** A socket that a worker accepts on. */
export interface ListeningSocket {
  readonly worker: number;
  /** `ListeningSockets.keyOf` its address. */
  readonly key: string;
  readonly fd: number;
}

/** What the xDS client and the admin endpoint hold: one engine, or a crew of workers that each have one (workers/crew.ts). */
export interface Plane {
  /** Every listener of the first tables is bound. */
  readonly ready: boolean;
  readonly draining: boolean;
  /** What was applied last. */
  readonly tables: ProxyTables;
  /** Shown to peers; undefined before there is one. */
  readonly identity: MeshIdentity | undefined;
  /**
   * Binds new listeners before closing those that are gone, and cuts no connection whose listener stays. Calls are worked
   * off in order. A listener that could not be bound is tried again with the next tables.
   */
  apply(tables: ProxyTables): Promise<readonly ApplyProblem[]>;
  /** New connections use it from now on; established ones stay. Throws when key and certificate do not go together. */
  setIdentity(identity: MeshIdentity): void;
  /** Resolves with what has been counted until now. */
  figures(): Promise<Figures>;
  /**
   * Inbound and ingress answers say `Connection: close` from now on, and HTTP/2 connections GOAWAY at once; requests that still come on any connection are served,
   * none is reset. Resolves when no such request has been active for a moment, or at the deadline.
   */
  drain(deadlineMs: number): Promise<void>;
  /** What it accepts on now. */
  listening(): Promise<readonly ListeningSocket[]>;
  /**
   * Another process has the listening sockets: accepts nothing more, and asks every client, also a sidecar's own app, to come on a new
   * connection with its next request. Resolves at once; `idle` tells when all have gone.
   */
  leave(): Promise<void>;
  /** Resolves when no client has a connection any more, or at the deadline. */
  idle(deadlineMs: number): Promise<void>;
  /** Cuts everything. */
  close(): Promise<void>;
}

/** The data plane of one thread. `createEngine` in data-plane.ts makes one. */
export interface Engine extends Plane, Figures {
  /** Another worker's engine has ejected an endpoint. */
  ejectedElsewhere(ejection: ToldEjection): void;
}
