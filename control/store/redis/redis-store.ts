import type { Clock } from '../../../kit/clock.ts';
import type { Logger } from '../../../kit/log.ts';
import { decideLease } from '../lease.ts';
import {
  type Changes,
  CompactedError,
  type Entry,
  FutureRevisionError,
  type Leases,
  type ListOptions,
  type Page,
  type Store,
  type Transaction,
  type TransactionResult,
  type WatchOptions,
} from '../store.ts';
import { checkTransaction } from '../transaction.ts';
import { pastPage, undoOf } from './past-page.ts';
import { parseRedisAddress } from './redis-address.ts';
import { RedisEngine } from './redis-engine.ts';
import { parseEntry } from './stored-entry.ts';

export interface RedisStoreOptions {
  /** `redis://…`, `rediss://…` or `unix://…`, as redis-address.ts reads it. */
  readonly url: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Tells stores in one Redis database apart; `tutti` unless told. */
  readonly cluster?: string;
  /** How long a call waits for a Redis that is away; 5 s unless told. */
  readonly patienceMs?: number;
  /** A file that remembers what was last seen of the store. Without it a loss while nobody looked is not noticed. */
  readonly markPath?: string;
  /** Added to the server's clock for leases, so that a test can let time pass. */
  readonly leaseShiftMs?: () => number;
}

/**
 * A store that several control planes share. Unless somebody holds LEADER_LEASE (lease.ts), anybody writes; from then on only
 * the leader does, through `fencedBy`.
 */
export interface RedisStore extends Store {
  /** The store for the leader of this epoch. Its writes fail with NotLeaderError once another has led. Closing it does nothing. */
  fencedBy(epoch: number): Promise<Store>;
}

const PATIENCE_MS = 5000;

/** Entries that one script collects, and about the most bytes of them: the server does nothing else meanwhile. */
const CHUNK = 1000;
const CHUNK_BYTES = 4 * 1024 * 1024;
/** More than the page that is fetched of the present when an older one is asked for: room for what is new since. */
const SLACK = 64;
/** Revisions that one script forgets. */
const COMPACTION_STEP = 1000;

/** Opens the store in a Redis server, made when it is empty. Throws RedisRefusedError (refusal.ts), which says what to do. */
export async function openRedisStore(options: RedisStoreOptions): Promise<RedisStore> {
  const { url, clock, log, cluster = 'tutti', patienceMs = PATIENCE_MS, markPath } = options;
  const engine = new RedisEngine({ address: parseRedisAddress(url), clock, log, cluster, patienceMs, markPath });
  await engine.open();
  const leases = leasesOf(engine, options.leaseShiftMs ?? (() => 0));
  return Object.assign(new RedisStoreView(engine, leases, { epoch: 0, close: () => engine.close() }), {
    fencedBy: async (epoch: number): Promise<Store> => {
      await engine.lead(epoch);
      return new RedisStoreView(engine, leases, { epoch, close: () => Promise.resolve() });
    },
  });
}

interface ViewOptions {
  /** Of the leader that writes through it; 0 where nobody leads. */
  readonly epoch: number;
  readonly close: () => Promise<void>;
}

class RedisStoreView implements Store {
  readonly leases: Leases;
  readonly #engine: RedisEngine;
  readonly #options: ViewOptions;

  constructor(engine: RedisEngine, leases: Leases, options: ViewOptions) {
    this.leases = leases;
    this.#engine = engine;
    this.#options = options;
  }

  async revision(): Promise<number> {
    return Number(await this.#engine.ask<string>('HGET', this.#engine.keys.meta, 'revision'));
  }

  async get(key: string): Promise<Entry | undefined> {
    const stored = await this.#engine.ask<string | null>('HGET', this.#engine.keys.entries, key);
    return stored === null ? undefined : parseEntry(key, stored);
  }

  async list(prefix: string, { revision, limit, after = '' }: ListOptions = {}): Promise<Page> {
    if (limit !== undefined) return await this.#page(prefix, after, limit, revision);
    const first = await this.#page(prefix, after, CHUNK, revision);
    const entries = [...first.entries];
    for (let page = first; page.more; ) {
      page = await this.#page(prefix, entries.at(-1)?.key ?? after, CHUNK, first.revision);
      entries.push(...page.entries);
    }
    return { entries, revision: first.revision, more: false, remaining: 0 };
  }

  async transact(transaction: Transaction): Promise<TransactionResult> {
    checkTransaction(transaction);
    const { compare, put, delete: deleted } = transaction;
    const [word, detail, stored] = await this.#engine.mutate(this.#options.epoch, [
      compare.length,
      put.length,
      deleted.length,
      ...compare.flatMap(({ key, revision }) => [key, revision]),
      ...put.flatMap(({ key, value }) => [key, value]),
      ...deleted,
    ]);
    if (word === 'ok') return { ok: true, revision: Number(detail) };
    const conflict = compare[Number(detail)];
    if (word !== 'conflict' || conflict === undefined) throw new Error(`store: unknown answer "${String(word)}"`);
    return { ok: false, conflict, present: stored === '' ? undefined : parseEntry(conflict.key, String(stored)) };
  }

  watch(prefix: string, options: WatchOptions): AsyncIterable<Changes> {
    this.#engine.mustBeUsable();
    return this.#engine.watchers.watch(prefix, options);
  }

  async compact(revision: number): Promise<void> {
    let reached = 0;
    while (reached < revision) {
      const step = await this.#engine.compact(this.#options.epoch, revision, COMPACTION_STEP);
      if (step === 'future') throw new FutureRevisionError(revision, await this.revision());
      reached = step;
    }
    await this.#engine.tail.reached(revision);
    this.#engine.forgot(reached);
  }

  async close(): Promise<void> {
    await this.#options.close();
  }

  async #page(prefix: string, after: string, limit: number, revision: number | undefined): Promise<Page> {
    const begin = after >= prefix && after !== '' ? `(${after}` : prefix === '' ? '-' : `[${prefix}`;
    // Keys are ASCII up to `~`: this follows every key under the prefix.
    const end = `(${prefix}\x7f`;
    const { meta, entries: entriesKey, order } = this.#engine.keys;
    let slack = revision === undefined ? 0 : SLACK;
    for (let bytes = CHUNK_BYTES; ; bytes *= 2, slack *= 4) {
      const reply = await this.#engine.read<(string | number)[]>(
        'page',
        [meta, entriesKey, order],
        [begin, end, limit + slack, bytes],
      );
      const [present, compacted, count] = reply.slice(0, 3).map(Number) as [number, number, number];
      const entries: Entry[] = [];
      for (let at = 3; at < reply.length; at += 2) entries.push(parseEntry(String(reply[at]), String(reply[at + 1])));
      const shown = revision ?? present;
      if (shown > present) throw new FutureRevisionError(shown, present);
      if (shown < compacted) throw new CompactedError(shown, compacted);
      if (shown === present) return pageOf(entries.slice(0, limit), count, shown);
      const undo = undoOf(await this.#engine.changesBetween(shown, present), prefix, after);
      const past = pastPage({ entries, count }, undo, limit);
      if (past !== undefined) return pageOf(past.entries, past.count, shown);
    }
  }
}

function pageOf(entries: readonly Entry[], count: number, revision: number): Page {
  const remaining = count - entries.length;
  return { entries, revision, more: remaining > 0, remaining };
}

function leasesOf(engine: RedisEngine, shiftMs: () => number): Leases {
  const keys = [engine.keys.leases];
  return {
    acquire: async (name, holder, ttlMs) => {
      decideLease(undefined, { holder, ttlMs }, 0);
      const epoch = await engine.read<number>('acquire', keys, [name, holder, ttlMs, shiftMs()]);
      return epoch === 0 ? undefined : { epoch };
    },
    release: async (name, holder) => {
      await engine.read('release', keys, [name, holder]);
    },
  };
}
