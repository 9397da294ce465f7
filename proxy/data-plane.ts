import { closeSync } from 'node:fs';
import type { MeshIdentity } from '../certs/workload/mesh-identity.ts';
import type { Clock } from '../kit/clock.ts';
import type { Logger } from '../kit/log.ts';
import type { Random } from '../kit/random.ts';
import { TimerWheel } from '../kit/timer-wheel.ts';
import { ClusterState } from './cluster/cluster-state.ts';
import type { OtherWorkers, ToldEjection } from './cluster/other-workers.ts';
import type {
  ApplyProblem,
  ClusterLoad,
  ClusterStatus,
  Engine,
  ListenerStatus,
  ListeningSocket,
  WorkerStatus,
} from './engine.ts';
import { RequestHead } from './http1/request-head.ts';
import { ResponseHead } from './http1/response-head.ts';
import { Listener, type ReadMode } from './listener/listener.ts';
import type { ListenerConfig } from './listener/listener-config.ts';
import { CompiledRouteTable } from './route/compiled-route-table.ts';
import type { Runtime } from './runtime.ts';
import { ListeningSockets } from './socket/listening-sockets.ts';
import { MeshTls } from './socket/mesh-tls.ts';
import type { ProxyTables } from './tables.ts';
import { AccessLog, type AccessLogFormat } from './telemetry/access-log.ts';
import { Telemetry } from './telemetry/telemetry.ts';
import { tlsRefusalLog } from './telemetry/tls-refusal-log.ts';
import type { Tracer } from './tracing/tracer.ts';

export interface EngineOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Takes whole lines, several at a time; undefined writes none. */
  readonly accessLog: { readonly format: AccessLogFormat; readonly sink: (lines: string) => void } | undefined;
  /** Which requests are traced; the engine closes it. Without it no spans are made. */
  readonly tracer?: Tracer;
  /** `shared` unless told; a test runs both. */
  readonly readMode?: ReadMode;
  /** Each listener binds its address for itself alone unless told. */
  readonly sockets?: ListeningSockets;
  /** What this engine has in common with the other workers, by cluster. */
  readonly othersOf?: (cluster: string) => OtherWorkers | undefined;
}

/** How long no inbound request may have begun or ended before a drain is over: what is on its way to us gets here within it. */
const DRAIN_QUIET_MS = 300;
const DRAIN_LOOK_MS = 20;

const NO_TABLES: ProxyTables = { listeners: new Map(), routeTables: new Map(), clusters: new Map() };

/** Builds the data plane of a process. Nothing is bound before the first `apply`. */
export function createEngine(options: EngineOptions): Engine {
  return new DataPlane(options);
}

class DataPlane implements Engine, Runtime {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly wheel: TimerWheel;
  readonly telemetry = new Telemetry();
  readonly accessLog: AccessLog | undefined;
  readonly meshTls: MeshTls;
  readonly sockets: ListeningSockets;
  readonly tracer: Tracer | undefined;
  readonly requestHead = new RequestHead();
  readonly responseHead = new ResponseHead();
  activeInbound = 0;
  inboundChangedAtMs = 0;
  draining = false;
  leaving = false;
  readonly #readMode: ReadMode;
  readonly #othersOf: EngineOptions['othersOf'];
  readonly #listeners = new Map<string, Listener>();
  readonly #retired = new Set<Listener>();
  readonly #routeTables = new Map<string, CompiledRouteTable>();
  readonly #clusters = new Map<string, ClusterState>();
  #tables: ProxyTables = NO_TABLES;
  #applying: Promise<unknown> = Promise.resolve();
  #ready = false;

  constructor(options: EngineOptions) {
    this.clock = options.clock;
    this.random = options.random;
    this.log = options.log;
    this.wheel = new TimerWheel(options.clock);
    this.telemetry.onTlsRefused = tlsRefusalLog(options.clock, options.log);
    this.meshTls = new MeshTls(() => options.clock.now());
    this.sockets = options.sockets ?? new ListeningSockets();
    this.tracer = options.tracer;
    this.telemetry.spans = options.tracer?.counts;
    this.accessLog =
      options.accessLog === undefined
        ? undefined
        : new AccessLog(options.accessLog.format, options.accessLog.sink, this.wheel);
    this.#readMode = options.readMode ?? 'shared';
    this.#othersOf = options.othersOf;
  }

  // The engine's contract.

  get ready(): boolean {
    return this.#ready;
  }

  get tables(): ProxyTables {
    return this.#tables;
  }

  apply(tables: ProxyTables): Promise<readonly ApplyProblem[]> {
    const applied = this.#applying.then(() => this.#apply(tables));
    this.#applying = applied.catch(() => undefined);
    return applied;
  }

  get identity(): MeshIdentity | undefined {
    return this.meshTls.identity;
  }

  setIdentity(identity: MeshIdentity): void {
    const rotated = this.meshTls.identity !== undefined;
    this.meshTls.set(identity);
    if (rotated) this.telemetry.identityRotations++;
    this.telemetry.identityNotAfterMs = identity.notAfterMs;
    for (const listener of this.#listeners.values()) listener.identityChanged();
  }

  load(): readonly ClusterLoad[] {
    const now = this.clock.monotonic();
    const wallMs = this.clock.now() - now;
    return [...this.#clusters.values()].map((cluster) => {
      cluster.sweepOutliers(now, this.random);
      const { config, total, success, error, active } = cluster;
      const ejections = cluster.ejected.map(({ key, outlier }) => ({
        address: key,
        cause: outlier.cause ?? 'consecutive_5xx',
        untilMs: Math.round((wallMs + outlier.ejectedAtMs + outlier.ejectedForMs) / 1000) * 1000,
      }));
      return { cluster: config.name, service: config.service, total, success, error, active, ejections };
    });
  }

  listeners(): readonly ListenerStatus[] {
    return [...this.#listeners.values()].map((listener) => ({
      name: listener.config.name,
      address: listener.address,
      port: listener.port,
      connections: listener.connectionCount,
    }));
  }

  ejectedElsewhere(ejection: ToldEjection): void {
    this.#clusters.get(ejection.cluster)?.ejectedElsewhere(ejection, this.clock.monotonic());
  }

  figures(): Promise<Engine> {
    return Promise.resolve(this);
  }

  workers(): readonly WorkerStatus[] {
    return [{ worker: 0, ready: this.#ready, restarts: 0, requests: this.telemetry.requestsFinished }];
  }

  clusters(): readonly ClusterStatus[] {
    const now = this.clock.monotonic();
    for (const cluster of this.#clusters.values()) cluster.sweepOutliers(now, this.random);
    return [...this.#clusters.values()].map((cluster) => ({
      name: cluster.config.name,
      service: cluster.config.service,
      policy: cluster.config.policy,
      active: cluster.active,
      retries: cluster.retries,
      panics: cluster.panics,
      outliers: cluster.outliers && { enforced: cluster.outliers.enforced, overflow: cluster.outliers.overflow },
      endpoints: [...cluster.endpoints].map((endpoint) => ({
        address: endpoint.key,
        weight: endpoint.config.weight,
        healthy: endpoint.config.healthy,
        avoided: endpoint.isAvoided(now),
        ejected: cluster.outliers !== undefined && endpoint.outlier.ejected,
        ejections: endpoint.outlier.ejections,
        active: endpoint.active,
        idleConnections: endpoint.idle.length,
        connectionsOpened: endpoint.opened,
        connectFailures: endpoint.failures,
      })),
    }));
  }

  async drain(deadlineMs: number): Promise<void> {
    this.draining = true;
    for (const listener of this.#listeners.values()) listener.drain();
    const until = this.clock.monotonic() + deadlineMs;
    this.inboundChangedAtMs = Math.max(this.inboundChangedAtMs, this.clock.monotonic());
    while (this.clock.monotonic() < until) {
      if (this.activeInbound === 0 && this.clock.monotonic() - this.inboundChangedAtMs >= DRAIN_QUIET_MS) return;
      await this.clock.sleep(DRAIN_LOOK_MS);
    }
  }

  listening(): Promise<readonly ListeningSocket[]> {
    const sockets = [...this.#listeners.values()].flatMap(({ config, descriptors }) =>
      descriptors.map((fd) => ({ worker: 0, key: ListeningSockets.keyOf(config), fd })),
    );
    return Promise.resolve(sockets);
  }

  async leave(): Promise<void> {
    await this.#applying;
    this.draining = true;
    this.leaving = true;
    for (const listener of this.#listeners.values()) listener.leave();
  }

  async idle(deadlineMs: number): Promise<void> {
    const until = this.clock.monotonic() + deadlineMs;
    const all = (): Listener[] => [...this.#listeners.values(), ...this.#retired];
    while (this.clock.monotonic() < until && all().some(({ connectionCount }) => connectionCount > 0)) {
      await this.clock.sleep(DRAIN_LOOK_MS);
    }
  }

  async close(): Promise<void> {
    await this.#applying;
    for (const listener of [...this.#listeners.values(), ...this.#retired]) listener.close();
    this.#listeners.clear();
    for (const cluster of this.#clusters.values()) cluster.retire();
    this.accessLog?.flush();
    await this.tracer?.close();
    this.wheel.close();
    this.#ready = false;
  }

  // What connections and exchanges ask for.

  routeTable(name: string): CompiledRouteTable | undefined {
    return this.#routeTables.get(name);
  }

  cluster(name: string): ClusterState | undefined {
    return this.#clusters.get(name);
  }

  isOwnAddress(address: string, port: number): boolean {
    for (const listener of this.#listeners.values()) {
      if (listener.port !== port) continue;
      if (listener.address === address || listener.address === '0.0.0.0' || listener.address === '::') return true;
    }
    return false;
  }

  // Taking new tables: what routes point at comes first, what nothing points at any more goes last.

  async #apply(tables: ProxyTables): Promise<readonly ApplyProblem[]> {
    const problems: ApplyProblem[] = [];
    for (const config of tables.clusters.values()) this.#applyCluster(config.name, config);
    for (const table of tables.routeTables.values()) this.#applyRouteTable(table, problems);
    await this.#applyListeners(tables.listeners, problems);
    for (const name of this.#routeTables.keys()) if (!tables.routeTables.has(name)) this.#routeTables.delete(name);
    for (const [name, cluster] of this.#clusters) {
      if (tables.clusters.has(name)) continue;
      this.#clusters.delete(name);
      cluster.retire();
    }
    this.telemetry.keepServices(new Set([...tables.clusters.values()].map(({ service }) => service)));
    this.telemetry.applied++;
    this.telemetry.problems += problems.length;
    this.#tables = tables;
    for (const fd of this.sockets.takeRest()) closeSync(fd);
    this.#ready ||= [...tables.listeners.keys()].every((name) => this.#listeners.has(name));
    return problems;
  }

  #applyCluster(name: string, config: ClusterState['config']): void {
    const state = this.#clusters.get(name);
    if (state === undefined) this.#clusters.set(name, new ClusterState(config, this.#othersOf?.(name)));
    else state.update(config);
  }

  #applyRouteTable(table: CompiledRouteTable['table'], problems: ApplyProblem[]): void {
    const before = this.#routeTables.get(table.name);
    if (before?.table === table) return;
    try {
      this.#routeTables.set(table.name, new CompiledRouteTable(table, before, this.random));
    } catch (error) {
      problems.push({ resource: 'route-table', name: table.name, message: messageOf(error) });
    }
  }

  async #applyListeners(wanted: ReadonlyMap<string, ListenerConfig>, problems: ApplyProblem[]): Promise<void> {
    // A successor has the sockets of those that there were; what is new is its alone.
    if (this.leaving) return;
    const leaving: Listener[] = [];
    for (const config of wanted.values()) {
      const before = this.#listeners.get(config.name);
      if (before?.config === config) continue;
      try {
        if (before?.canBecome(config) === true) before.update(config);
        else await this.#bind(config, before, leaving);
      } catch (error) {
        problems.push({ resource: 'listener', name: config.name, message: messageOf(error) });
      }
    }
    for (const [name, listener] of this.#listeners) {
      if (wanted.has(name)) continue;
      this.#listeners.delete(name);
      leaving.push(listener);
    }
    for (const listener of leaving) this.#retire(listener);
  }

  async #bind(config: ListenerConfig, before: Listener | undefined, leaving: Listener[]): Promise<void> {
    // A socket whose address stays and whose nature changes cannot stand beside its successor.
    const sameAddress = before?.config.address === config.address && before.config.port === config.port;
    if (before !== undefined && sameAddress) this.#retire(before);
    this.#listeners.set(config.name, await Listener.bind(this, config, this.#readMode));
    if (before !== undefined && !sameAddress) leaving.push(before);
  }

  /** It is remembered until it is empty, so that `close` reaches its connections. */
  #retire(listener: Listener): void {
    listener.retire();
    for (const old of this.#retired) if (old.connectionCount === 0) this.#retired.delete(old);
    this.#retired.add(listener);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
