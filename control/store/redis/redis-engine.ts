import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../kit/clock.ts';
import { readTextIfPresent, writeFileAtomic } from '../../../kit/disk.ts';
import type { Logger } from '../../../kit/log.ts';
import { takeBatch } from '../batch.ts';
import { LEADER_LEASE } from '../lease.ts';
import {
  type Change,
  type Changes,
  CompactedError,
  NotLeaderError,
  OutcomeUnknownError,
  StoreClosedError,
  StoreUnreachableError,
} from '../store.ts';
import { Watchers } from '../watchers.ts';
import { AnswerLostError, NotServedError, RedisConnection } from './connection.ts';
import { type Found, judgeHistory, type Mark } from './history-witness.ts';
import { type StoreKeys, storeKeys } from './keys.ts';
import { LogTail } from './log-tail.ts';
import type { RedisAddress } from './redis-address.ts';
import { RedisRefusedError } from './refusal.ts';
import type { ScriptName } from './scripts.ts';
import { judgeSettings, readSettings } from './server-settings.ts';
import { type LogItem, parseLogItem } from './stored-entry.ts';

export interface EngineOptions {
  readonly address: RedisAddress;
  readonly clock: Clock;
  readonly log: Logger;
  readonly cluster: string;
  readonly patienceMs: number;
  /** Where what was last seen of the store is kept, so that a loss while everything was down is noticed too. */
  readonly markPath: string | undefined;
}

const FORMAT = '1';
const ANSWER_TIMEOUT_MS = 5000;
const RETRY_PAUSE_MS = 50;
const HISTORY_ITEMS = 256;
const MARK_EVERY_MS = 2000;

/** How far a new generation begins beyond all that was seen: more than anybody can have written without being seen. */
const GENERATION_GAP = 1_000_000;

type Runs = Pick<RedisConnection, 'script' | 'command'>;

/** The connections of one store, how the store goes on over losses of them and of its own memory, and its watches. */
export class RedisEngine {
  readonly keys: StoreKeys;
  readonly watchers: Watchers;
  readonly tail: LogTail;
  readonly #options: EngineOptions;
  readonly #connection: RedisConnection;
  readonly #opened = Promise.withResolvers<void>();
  readonly #client = randomUUID();
  readonly #ended = new AbortController();
  #mutations = 0;
  #begun = false;
  #complaint = '';
  #epoch = 0;
  #compacted = 0;
  #mark: Mark | undefined;
  #markWritten: Mark | undefined;
  /** The highest revision that was lost and that no new generation covers yet. */
  #lost: number | undefined;
  #unusable: Error | undefined;
  #keepingMark: Promise<void> = Promise.resolve();

  constructor(options: EngineOptions) {
    this.#options = options;
    // It may be refused before `open` waits for it.
    this.#opened.promise.catch(() => undefined);
    this.keys = storeKeys(options.cluster);
    const shared = { ...options, answerTimeoutMs: ANSWER_TIMEOUT_MS };
    this.#connection = new RedisConnection({
      ...shared,
      name: `tutti-${options.cluster}`,
      prepare: (runs) => this.#prepare(runs),
      onError: (error) => this.#onError(error),
    });
    this.tail = new LogTail({
      connection: new RedisConnection({
        ...shared,
        name: `tutti-${options.cluster}-tail`,
        prepare: async () => undefined,
        onError: () => undefined,
      }),
      clock: options.clock,
      logKey: this.keys.log,
      onChanges: (changes) => this.#onChanges(changes),
      look: () => this.#look(this.#connection),
    });
    const { tail } = this;
    const compacted = (): number => this.#compacted;
    this.watchers = new Watchers(
      {
        get revision(): number {
          return tail.revision;
        },
        get compacted(): number {
          return compacted();
        },
        since: (after, prefix) =>
          after >= tail.recent.from ? tail.recent.since(after, prefix) : this.#batchFromStream(after, prefix),
        fresh: () => this.#fresh(),
      },
      options.clock,
    );
  }

  /** Throws RedisRefusedError. */
  async open(): Promise<void> {
    const { clock, patienceMs, address, markPath } = this.#options;
    this.#mark = readMark(markPath === undefined ? undefined : await readTextIfPresent(markPath));
    const timer = clock.timer(patienceMs, () => {
      const why = this.#connection.lastError?.message ?? 'no answer';
      this.#opened.reject(
        new RedisRefusedError(
          address.shown,
          'unreachable',
          `cannot be reached (${why}); see that redis-server runs there and that this machine may connect, then start again`,
          this.#connection.lastError,
        ),
      );
    });
    try {
      await this.#opened.promise;
      this.#keepingMark = this.#keepMark();
    } catch (error) {
      await this.close();
      throw error;
    } finally {
      timer.stop();
    }
  }

  /** From now on this process leads with this epoch: it may mend what a rewound store has lost. */
  async lead(epoch: number): Promise<void> {
    this.#epoch = Math.max(this.#epoch, epoch);
    if (this.#lost !== undefined) await this.#renew(this.#connection, this.#lost);
  }

  /** A script that writes nothing, or the same however often it runs: tried again when its answer is lost. */
  async read<T>(name: ScriptName, keys: readonly string[], args: readonly (string | number)[]): Promise<T> {
    return (await this.#patiently(() => this.#connection.run(name, keys, args))) as T;
  }

  async ask<T>(command: string, ...args: readonly (string | number)[]): Promise<T> {
    return (await this.#patiently(() => this.#connection.call(command, ...args))) as T;
  }

  /**
   * Runs the script of a mutation until there is an answer: an attempt finds what an earlier one has done, by the mutation's id in the log.
   * Throws OutcomeUnknownError when the store stays away, StoreUnreachableError when nothing was sent.
   */
  async mutate(epoch: number, operands: readonly (string | number)[]): Promise<readonly unknown[]> {
    this.mustBeUsable();
    const { clock, patienceMs } = this.#options;
    const { meta, entries, order, log, leases } = this.keys;
    const mutation = `${this.#client}:${++this.#mutations}`;
    const keys = [meta, entries, order, log, leases, this.keys.tried(mutation)];
    const since = this.tail.revision;
    const deadline = clock.monotonic() + patienceMs;
    let sent = false;
    for (let attempt = 1; ; attempt++) {
      try {
        const args = [LEADER_LEASE, epoch, mutation, attempt, since, ...operands];
        const reply = (await this.#connection.run('transact', keys, args)) as readonly unknown[];
        const outcome = this.#outcome(epoch, reply);
        if (outcome[0] === 'ok') this.#saw(Number(outcome[1]), String(outcome[2]));
        return outcome;
      } catch (error) {
        this.mustBeUsable();
        const lost = error instanceof AnswerLostError;
        const passing = lost || error instanceof NotServedError;
        if (!passing && !sent) throw error;
        sent ||= lost;
        if (!passing || clock.monotonic() > deadline) throw this.#givenUp(sent, error as Error);
        await clock.sleep(RETRY_PAUSE_MS);
      }
    }
  }

  async compact(epoch: number, revision: number, step: number): Promise<number | 'future'> {
    const { meta, log, leases } = this.keys;
    const reply = await this.read<readonly unknown[]>(
      'compact',
      [meta, log, leases],
      [LEADER_LEASE, epoch, revision, step],
    );
    const [word, number] = this.#outcome(epoch, reply);
    return word === 'future' ? 'future' : Number(number);
  }

  /** History up to here is forgotten; call when the tail has passed it, so that no watch that has caught up falls out. */
  forgot(revision: number): void {
    this.#compacted = Math.max(this.#compacted, revision);
    this.tail.recent.forget(revision);
  }

  /** All changes after one revision up to another, oldest first. Throws CompactedError. */
  async changesBetween(after: number, upTo: number): Promise<readonly Change[]> {
    if (after >= this.tail.recent.from && upTo <= this.tail.revision) {
      return [...this.tail.recent.since(after, '')].filter(({ revision }) => revision <= upTo);
    }
    const changes: Change[] = [];
    for (let reached = after; reached < upTo; ) {
      const { items } = await this.#history(reached);
      const last = items.at(-1);
      if (last === undefined) break;
      for (const item of items) changes.push(...item.changes.filter(({ revision }) => revision <= upTo));
      reached = last.revision;
    }
    return changes;
  }

  mustBeUsable(): void {
    if (this.#unusable !== undefined) throw this.#unusable;
  }

  async close(): Promise<void> {
    this.#unusable ??= new StoreClosedError();
    this.#ended.abort();
    this.watchers.close();
    this.#connection.close();
    await this.tail.close();
    await this.#keepingMark;
  }

  /** A server that does not let us in will not change its mind while `open` waits. */
  #onError({ message }: Error): void {
    if (!/^(WRONGPASS|NOAUTH|NOPERM|ERR invalid password)/.test(message)) return;
    const why = `does not let this user in (${message}); check user and password of the URL`;
    this.#opened.reject(new RedisRefusedError(this.#options.address.shown, 'authentication', why));
  }

  /** On every new connection of commands, before anything else uses it. */
  async #prepare(runs: Runs): Promise<void> {
    try {
      await this.#checkSettings(runs);
      if (!this.#begun) await this.#begin(runs);
      await this.#look(runs);
      this.mustBeUsable();
      this.#complaint = '';
      this.#opened.resolve();
    } catch (error) {
      if (error instanceof RedisRefusedError) this.#opened.reject(error);
      const { message } = error as Error;
      // It is tried again and again: what stays the same is said once.
      if (message !== this.#complaint && !(error instanceof StoreClosedError)) {
        this.#options.log.error(`store ${this.#options.address.shown}: cannot be used: ${message}`);
      }
      this.#complaint = message;
      throw error;
    }
  }

  async #checkSettings(runs: Runs): Promise<void> {
    const { address, log } = this.#options;
    const info = String(await runs.command('INFO'));
    const config = await Promise.all(
      ['append*', 'maxmemory*', 'min-replicas-*'].map((pattern) => runs.command('CONFIG', 'GET', pattern)),
    ).then(
      (answers) => answers.flat() as string[],
      () => undefined,
    );
    for (const { weight, reason, message } of judgeSettings(readSettings(info, config))) {
      if (weight === 'refuse') throw new RedisRefusedError(address.shown, reason, message);
      log.warn(`store ${address.shown}: ${message}`);
    }
  }

  async #begin(runs: Runs): Promise<void> {
    const { address } = this.#options;
    // A store that this state folder knows must not be made anew when it is gone.
    const known = this.#mark === undefined ? randomUUID() : undefined;
    const reply = (
      known === undefined
        ? await runs.command('HMGET', this.keys.meta, 'format', 'id', 'generation', 'revision', 'compacted')
        : await runs.script('begin', [this.keys.meta], [known, FORMAT])
    ) as readonly (string | null)[];
    const [format, storeId, generation, revision, compacted] = reply;
    if (storeId === null || storeId === undefined) return;
    if (format !== FORMAT) {
      const why = `has format ${format}, ${FORMAT} is known here; use the version of Tutti that wrote it`;
      throw new RedisRefusedError(address.shown, 'format', why);
    }
    this.#begun = true;
    this.#mark ??= { storeId, generation: Number(generation), revision: Number(revision), mutation: '' };
    this.#compacted = Number(compacted);
    this.tail.start(Number(revision));
  }

  /** Sees whether the store still is what was seen of it, and does what follows if not. */
  async #look(runs: Runs): Promise<void> {
    const mark = this.#mark;
    if (mark === undefined) return;
    const reply = (await runs.script('witness', [this.keys.meta, this.keys.log], [mark.revision])) as (string | null)[];
    const [storeId, generation, revision, compacted, mutation] = reply;
    const found: Found = {
      storeId: storeId ?? '',
      generation: Number(generation),
      revision: Number(revision),
      compacted: Number(compacted),
      mutation: mutation ?? '',
    };
    const { log, address } = this.#options;
    const verdict = judgeHistory(mark, found);
    switch (verdict) {
      case 'same':
        if (found.compacted > this.tail.revision) {
          this.#goOnFrom(found);
          this.watchers.recheck();
        } else if (found.compacted > this.#compacted) {
          this.#compacted = found.compacted;
        }
        return;
      case 'renewed':
        this.#lost = undefined;
        this.#goOnFrom(found);
        this.watchers.recheck();
        return;
      case 'rewound':
        log.error(
          { seen: mark.revision, present: found.revision },
          `store ${address.shown}: has lost acknowledged writes (a failover, a restore, or appendfsync everysec); going on from what it has`,
        );
        this.#lost = Math.max(this.#lost ?? 0, mark.revision);
        this.#goOnFrom(found);
        await this.#renew(runs, this.#lost);
        return;
      case 'another':
        this.#unusable = new RedisRefusedError(
          address.shown,
          'another-store',
          `${found.storeId === '' ? 'is empty' : 'holds another store'}, and this control plane knows it with what it held before; ` +
            `restore it from a backup, or, to begin anew, remove "${this.#options.markPath ?? 'store-mark.json'}" and start again`,
        );
        this.watchers.close();
        throw this.#unusable;
      default:
        verdict satisfies never;
    }
  }

  /** Begins a new generation: every revision that anybody has seen is compacted now, so watchers list again (410 Gone). */
  async #renew(runs: Runs, lost: number): Promise<void> {
    const { meta, log, leases } = this.keys;
    const generation = this.#mark?.generation ?? 0;
    const args = [LEADER_LEASE, this.#epoch, generation, lost, GENERATION_GAP];
    const [word] = (await runs.script('renew', [meta, log, leases], args)) as readonly string[];
    // Another leads, and has noticed too or will when it is here.
    if (word === 'fenced') return;
    await this.#look(runs);
  }

  #goOnFrom({ storeId, generation, revision, compacted }: Found): void {
    this.#mark = { storeId, generation, revision, mutation: '' };
    this.#compacted = compacted;
    this.tail.restart(revision);
  }

  #onChanges(changes: readonly Change[]): void {
    this.#saw(this.tail.revision, this.tail.mutation);
    this.watchers.announce(changes);
  }

  #saw(revision: number, mutation: string): void {
    const mark = this.#mark;
    if (mark === undefined) return;
    const isNews = revision > mark.revision || (revision === mark.revision && mark.mutation === '');
    if (isNews) this.#mark = { ...mark, revision, mutation };
  }

  async #fresh(): Promise<void> {
    try {
      await this.tail.reached(Number(await this.ask<string>('HGET', this.keys.meta, 'revision')));
    } catch (error) {
      if (!(this.#unusable instanceof StoreClosedError)) throw error;
    }
  }

  async #batchFromStream(after: number, prefix: string): Promise<Changes> {
    try {
      const { items, revision } = await this.#history(after);
      const full = items.length === HISTORY_ITEMS;
      const reached = Math.min(this.tail.revision, full ? (items.at(-1)?.revision ?? revision) : revision);
      const changes = items.flatMap((item) => item.changes);
      return takeBatch(
        changes.filter(({ key, revision: at }) => at <= reached && key.startsWith(prefix)),
        reached,
      );
    } catch (error) {
      if (this.#unusable instanceof StoreClosedError) return { changes: [], revision: after };
      throw error;
    }
  }

  async #history(after: number) {
    const { meta, log } = this.keys;
    const [revision, compacted, items] = await this.read<[string, string, LogItem[]]>(
      'history',
      [meta, log],
      [after, HISTORY_ITEMS],
    );
    if (Number(compacted) > after) throw new CompactedError(after, Number(compacted));
    return { revision: Number(revision), items: items.map(parseLogItem) };
  }

  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    this.mustBeUsable();
    const { clock, patienceMs } = this.#options;
    const deadline = clock.monotonic() + patienceMs;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        this.mustBeUsable();
        if (!(error instanceof AnswerLostError || error instanceof NotServedError)) throw error;
        if (clock.monotonic() > deadline) throw new StoreUnreachableError(error.message, { cause: error });
        await clock.sleep(RETRY_PAUSE_MS);
      }
    }
  }

  #outcome(epoch: number, reply: readonly unknown[]): readonly unknown[] {
    const [word, detail] = reply;
    if (word === 'fenced') throw new NotLeaderError(epoch, Number(detail));
    if (word === 'forgotten' || word === 'superseded') {
      throw new OutcomeUnknownError('store: the answer of a write was lost, and its history is compacted since');
    }
    return reply;
  }

  #givenUp(sent: boolean, cause: Error): Error {
    const { shown } = this.#options.address;
    return sent
      ? new OutcomeUnknownError(
          `store "${shown}": a write was sent and its answer lost; read back before trying again`,
          {
            cause,
          },
        )
      : new StoreUnreachableError(cause.message, { cause });
  }

  async #keepMark(): Promise<void> {
    const { clock, markPath, log } = this.#options;
    if (markPath === undefined) return;
    for (let last = false; ; last = this.#ended.signal.aborted) {
      const mark = this.#mark;
      if (mark !== this.#markWritten && mark !== undefined) {
        this.#markWritten = mark;
        await writeFileAtomic(markPath, `${JSON.stringify(mark)}\n`).catch((error: unknown) =>
          log.warn({ error, path: markPath }, 'store: cannot note what was seen of it'),
        );
      }
      if (last) return;
      await clock.sleep(MARK_EVERY_MS, this.#ended.signal).catch(() => undefined);
    }
  }
}

function readMark(text: string | undefined): Mark | undefined {
  if (text === undefined) return undefined;
  const { storeId, generation, revision, mutation } = JSON.parse(text) as Partial<Mark>;
  const whole = typeof storeId === 'string' && typeof generation === 'number' && typeof revision === 'number';
  return whole ? { storeId, generation, revision, mutation: mutation ?? '' } : undefined;
}
