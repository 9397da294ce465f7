import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { Random } from '../../kit/random.ts';
import { SharedCounts } from '../cluster/shared-counts.ts';
import type { ApplyProblem, Figures, ListeningSocket, Plane } from '../engine.ts';
import type { ListenerConfig } from '../listener/listener-config.ts';
import { dealSockets } from '../restart/deal-sockets.ts';
import { ListeningSockets } from '../socket/listening-sockets.ts';
import { MeshTls } from '../socket/mesh-tls.ts';
import type { ProxyTables } from '../tables.ts';
import { RequestStats } from '../telemetry/request-stats.ts';
import { Telemetry } from '../telemetry/telemetry.ts';
import type { TracingSetup } from '../tracing/start-tracing.ts';
import { probe } from './address-probe.ts';
import { Member } from './member.ts';
import type { News, WorkerFigures, WorkerSetup } from './messages.ts';
import { sum } from './sum.ts';
import { NO_TABLES, type WorkerTables } from './tables-change.ts';

export interface CrewOptions extends Pick<WorkerSetup, 'logLevel' | 'component'> {
  readonly workers: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** All that the process before listens on, however many workers it has. */
  readonly takenOver?: readonly ListeningSocket[];
  readonly tracing?: TracingSetup | undefined;
}

/**
 * Several engines, each in a thread of its own with sockets of its own on the same addresses, among which the kernel deals out
 * connections (SO_REUSEPORT). This thread carries none: it passes configuration and identity down, and adds numbers up.
 */
export class Crew implements Plane {
  readonly #log: Logger;
  readonly #members: readonly Member[];
  readonly #meshTls: MeshTls;
  #listeners: ReadonlyMap<string, Known> = new Map();
  /** Addresses that are ours already. */
  readonly #takenOver: ReadonlySet<string>;
  #wanted: ProxyTables = NO_TABLES;
  #given: WorkerTables = NO_TABLES;
  #applying: Promise<unknown> = Promise.resolve();
  #rotations = 0;
  /** Every listener of the first tables had its address. */
  #isBound = false;
  #draining = false;

  constructor({ workers, logLevel, component, clock, random, log, takenOver = [], tracing }: CrewOptions) {
    this.#log = log;
    this.#meshTls = new MeshTls(() => clock.now());
    this.#takenOver = new Set(takenOver.map(({ key }) => key));
    const wanted = () => ({ identity: this.#meshTls.identity, tables: this.#given });
    const shares = dealSockets(takenOver, workers);
    this.#members = Array.from({ length: workers }, (_, worker) => {
      return new Member({
        setup: { worker, logLevel, component, takenOver: shares[worker] ?? new Map(), tracing },
        clock,
        random,
        log,
        heard: (news) => this.#passOn(news, worker),
        wanted,
      });
    });
  }

  get ready(): boolean {
    return this.#isBound && this.#members.every(({ ready }) => ready);
  }

  get draining(): boolean {
    return this.#draining;
  }

  get tables(): ProxyTables {
    return this.#wanted;
  }

  get identity(): MeshIdentity | undefined {
    return this.#meshTls.identity;
  }

  setIdentity(identity: MeshIdentity): void {
    if (this.#meshTls.identity !== undefined) this.#rotations++;
    this.#meshTls.set(identity);
    void this.#sync();
  }

  apply(tables: ProxyTables): Promise<readonly ApplyProblem[]> {
    const applied = this.#applying.then(() => this.#apply(tables));
    this.#applying = applied.catch(() => undefined);
    return applied;
  }

  async figures(): Promise<Figures> {
    const each = await Promise.all(this.#members.map((member) => member.figures()));
    const all = each.filter((figures) => figures !== undefined).reduce<WorkerFigures>(sum, NOTHING());
    const telemetry = telemetryOf(all);
    telemetry.identityRotations = this.#rotations;
    const workers = this.#members.map(({ number, ready, restarts }, at) => {
      const requests = each[at] === undefined ? 0 : telemetryOf(each[at]).requestsFinished;
      return { worker: number, ready, restarts, requests };
    });
    return {
      telemetry,
      load: () => all.load,
      listeners: () => all.listeners,
      clusters: () => all.clusters,
      workers: () => workers,
      lateness: all.lateness,
    };
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#draining = true;
    await Promise.all(this.#members.map((member) => member.drain(deadlineMs)));
  }

  async listening(): Promise<readonly ListeningSocket[]> {
    return (await Promise.all(this.#members.map((member) => member.listening()))).flat();
  }

  async leave(): Promise<void> {
    await this.#applying;
    this.#draining = true;
    await Promise.all(this.#members.map((member) => member.leave()));
  }

  async idle(deadlineMs: number): Promise<void> {
    await Promise.all(this.#members.map((member) => member.idle(deadlineMs)));
  }

  async close(): Promise<void> {
    await this.#applying;
    await Promise.all(this.#members.map((member) => member.close()));
  }

  /** For tests: ends a worker's thread as a failure would. */
  async kill(worker: number): Promise<void> {
    await this.#members[worker]?.kill();
  }

  async #apply(tables: ProxyTables): Promise<readonly ApplyProblem[]> {
    const problems: ApplyProblem[] = [];
    const listeners = new Map<string, Known>();
    for (const wanted of tables.listeners.values()) {
      const before = this.#listeners.get(wanted.name);
      try {
        listeners.set(wanted.name, await given(wanted, before, this.#takenOver));
      } catch (error) {
        if (before !== undefined) listeners.set(wanted.name, before);
        problems.push({ resource: 'listener', name: wanted.name, message: (error as Error).message });
      }
    }
    this.#listeners = listeners;
    this.#wanted = tables;
    this.#isBound ||= [...tables.listeners.keys()].every((name) => listeners.has(name));
    const entries = [...listeners].map(([name, listener]) => [name, listener.given] as const);
    this.#given = { ...tables, listeners: new Map(entries), counts: this.#countsFor(tables) };
    return [...problems, ...(await this.#sync())];
  }

  /** All but the one that has told it. */
  #passOn(news: News, from: number): void {
    for (const member of this.#members) if (member.number !== from) member.tell(news);
  }

  #countsFor({ clusters }: ProxyTables): ReadonlyMap<string, SharedArrayBuffer> {
    const before = this.#given.counts;
    const workers = this.#members.length;
    return new Map(
      [...clusters.keys()].map((name) => [name, before.get(name) ?? SharedCounts.memory(workers)] as const),
    );
  }

  /** One word for a problem that all of them have. */
  async #sync(): Promise<readonly ApplyProblem[]> {
    const problems = new Map<string, ApplyProblem>();
    for (const each of await Promise.all(this.#members.map((member) => member.sync()))) {
      for (const problem of each) problems.set(`${problem.resource} ${problem.name}`, problem);
    }
    if (problems.size > 0) this.#log.debug({ problems: [...problems.values()] }, 'workers have problems');
    return [...problems.values()];
  }
}

/** A listener as it was wanted, and as the workers have it: with the port that the system chose. */
interface Known {
  readonly wanted: ListenerConfig;
  readonly given: ListenerConfig;
}

/** As the workers get it. An address that is new here must be nobody else's. */
async function given(wanted: ListenerConfig, before: Known | undefined, own: ReadonlySet<string>): Promise<Known> {
  if (before?.wanted === wanted) return before;
  if (before === undefined && own.has(ListeningSockets.keyOf(wanted))) return { wanted, given: wanted };
  if (before !== undefined && ListeningSockets.keyOf(before.wanted) === ListeningSockets.keyOf(wanted)) {
    return { wanted, given: wanted.port === 0 ? { ...wanted, port: before.given.port } : wanted };
  }
  const port = await probe(wanted);
  return { wanted, given: wanted.port === port ? wanted : { ...wanted, port } };
}

function NOTHING(): WorkerFigures {
  return { telemetry: new Telemetry(), load: [], clusters: [], listeners: [], lateness: { p50: 0, p99: 0 } };
}

function telemetryOf({ telemetry }: WorkerFigures): Telemetry {
  const requests = new Map([...telemetry.requests].map(([key, fields]) => [key, RequestStats.of(fields)] as const));
  return Object.assign(new Telemetry(), telemetry, { requests });
}
