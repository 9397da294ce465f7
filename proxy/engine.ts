import type { MeshIdentity } from '../certs/workload/mesh-identity.ts';
import type { ProxyTables } from './tables.ts';

/** A resource that could not be put to work; the engine goes on with what it had for that name. */
export interface ApplyProblem {
  readonly resource: 'listener' | 'route-table' | 'cluster';
  readonly name: string;
  readonly message: string;
}

/** Sums since the engine's start, per cluster: what LRS reports. */
export interface ClusterLoad {
  readonly cluster: string;
  readonly service: string;
  readonly total: number;
  readonly success: number;
  /** Answers of 5xx and tries that failed without an answer. */
  readonly error: number;
  readonly active: number;
}

/** The data plane of one process, as the xDS client and the admin endpoint hold it. */
export interface Engine {
  /** Binds new listeners before closing those that are gone, and cuts no connection whose listener stays. */
  apply(tables: ProxyTables): Promise<readonly ApplyProblem[]>;
  /** New connections use it from now on; established ones stay. */
  setIdentity(identity: MeshIdentity): void;
  load(): readonly ClusterLoad[];
  /** Finishes what is in flight with `Connection: close` and takes no new connection; resolves when idle or overdue. */
  drain(deadlineMs: number): Promise<void>;
  close(): Promise<void>;
}
