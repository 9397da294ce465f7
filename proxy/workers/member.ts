import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';
import { type Backoff, backoffMs } from '../../kit/backoff.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { Random } from '../../kit/random.ts';
import { SharedCounts } from '../cluster/shared-counts.ts';
import type { ApplyProblem, ListeningSocket } from '../engine.ts';
import { boundAnew } from '../restart/deal-sockets.ts';
import { stillKnown } from './departed.ts';
import type { News, WorkerFigures, WorkerSetup } from './messages.ts';
import { remains, sum } from './sum.ts';
import { changeBetween, NO_TABLES, type WorkerTables } from './tables-change.ts';
import { WorkerThread } from './worker-thread.ts';

export interface MemberOptions {
  readonly setup: WorkerSetup;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** What the worker tells unasked. */
  readonly heard: (news: News) => void;
  /** What every worker is to have now. */
  readonly wanted: () => { readonly identity: MeshIdentity | undefined; readonly tables: WorkerTables };
}

const RESTART: Backoff = { baseMs: 100, maxMs: 10_000, jitter: 0.3 };
/** A thread that lived so long was no failure of its start. */
const STABLE_MS = 60_000;
/** A worker that is too busy to answer is shown as it was. */
const FIGURES_WITHIN_MS = 1000;

/** One worker of the crew: a thread that is kept running, brought up to date, and remembered in the sums when it has failed. */
export class Member {
  readonly #options: MemberOptions;
  readonly #abort = new AbortController();
  #thread: WorkerThread;
  #hasIdentity: MeshIdentity | undefined = undefined;
  #hasTables: WorkerTables = NO_TABLES;
  #ready = false;
  #draining: number | undefined = undefined;
  #work: Promise<unknown> = Promise.resolve();
  #last: WorkerFigures | undefined = undefined;
  #departed: WorkerFigures | undefined = undefined;
  #failures = 0;
  #restarts = 0;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.#thread = this.#start(options.setup);
  }

  get number(): number {
    return this.#options.setup.worker;
  }

  get ready(): boolean {
    return this.#ready;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** Gives the worker what it is to have. One that is down gets it when it is back, and has no problem until then. */
  sync(): Promise<readonly ApplyProblem[]> {
    const synced = this.#work.then(() => this.#sync());
    this.#work = synced.catch(() => undefined);
    return synced;
  }

  /** What it has counted, with what it had before it failed. */
  async figures(): Promise<WorkerFigures | undefined> {
    const thread = this.#thread;
    const asked = this.#look(thread);
    await new Promise<void>((resolve) => {
      const limit = this.#options.clock.timer(FIGURES_WITHIN_MS, resolve);
      void asked.finally(() => {
        limit.stop();
        resolve();
      });
    });
    if (this.#departed === undefined) return this.#last;
    this.#departed = stillKnown(this.#departed, this.#options.wanted().tables);
    return this.#last === undefined ? this.#departed : sum(this.#last, this.#departed);
  }

  /** What another has told. */
  tell({ ejected }: News): void {
    void this.#thread.ask('ejected', ejected).catch(() => undefined);
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#draining = deadlineMs;
    await this.#thread.ask('drain', deadlineMs).catch(() => undefined);
  }

  async listening(): Promise<readonly ListeningSocket[]> {
    return this.#thread.ask('listening', undefined);
  }

  /** One that fails after this is not started again: its successor accepts. */
  async leave(): Promise<void> {
    this.#abort.abort();
    await this.#thread.ask('leave', undefined).catch(() => undefined);
  }

  async idle(deadlineMs: number): Promise<void> {
    await this.#thread.ask('idle', deadlineMs).catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#thread.stop();
  }

  /** For tests: as if the thread had failed. */
  async kill(): Promise<void> {
    await this.#thread.kill();
  }

  async #look(thread: WorkerThread): Promise<void> {
    try {
      const figures = await thread.ask('figures', undefined);
      if (this.#thread === thread) this.#last = figures;
    } catch {
      // It has ended: what it said last counts.
    }
  }

  #start(setup: WorkerSetup): WorkerThread {
    const thread = new WorkerThread(setup, this.#options.heard);
    void this.#watch(thread);
    return thread;
  }

  async #watch(thread: WorkerThread): Promise<void> {
    const { clock } = this.#options;
    const startedAtMs = clock.monotonic();
    const error = await thread.ended;
    if (error === undefined || this.#abort.signal.aborted) return;
    this.#failures = clock.monotonic() - startedAtMs >= STABLE_MS ? 1 : this.#failures + 1;
    await this.#again(error);
  }

  /** The first failure is repaired at once, a series of them later and later. */
  async #again(error: Error): Promise<void> {
    const { clock, random, log, setup } = this.#options;
    this.#ready = false;
    this.#hasIdentity = undefined;
    this.#hasTables = NO_TABLES;
    for (const memory of this.#options.wanted().tables.counts.values()) SharedCounts.clear(memory, setup.worker);
    if (this.#last !== undefined) {
      const left = remains(this.#last);
      this.#departed = this.#departed === undefined ? left : sum(this.#departed, left);
      this.#last = undefined;
    }
    const delayMs = this.#failures <= 1 ? 0 : backoffMs(this.#failures - 2, RESTART, random);
    log.error({ error, worker: setup.worker, delayMs }, 'worker failed and is started again; its connections are lost');
    await interval(clock, delayMs, this.#abort.signal);
    if (this.#abort.signal.aborted) return;
    this.#restarts++;
    this.#thread = this.#start({ ...setup, takenOver: boundAnew(setup.takenOver) });
    await this.sync();
    if (this.#draining !== undefined) await this.drain(this.#draining);
  }

  async #sync(): Promise<readonly ApplyProblem[]> {
    const { identity, tables } = this.#options.wanted();
    const thread = this.#thread;
    try {
      if (identity !== undefined && identity !== this.#hasIdentity) {
        await thread.ask('identity', identity);
        if (this.#thread === thread) this.#hasIdentity = identity;
      }
      if (tables === NO_TABLES) return [];
      const { problems, ready } = await thread.ask('apply', changeBetween(this.#hasTables, tables));
      if (this.#thread !== thread) return [];
      this.#hasTables = tables;
      this.#ready = ready;
      return problems;
    } catch (error) {
      this.#options.log.warn({ error, worker: this.number }, 'worker could not take its tables');
      return [];
    }
  }
}

/** Ends early, and as well, when it is aborted. */
async function interval(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch {
    // Aborted: the caller looks.
  }
}
