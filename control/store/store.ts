/**
 * What the control plane needs of a store: revisioned keys, as in etcd. One revision counter for the whole store; each
 * transaction that writes takes the next one. Every engine passes conformance.ts. Limits are in transaction.ts.
 */

/** A key's value at the revision that last wrote it. Values are text to the store; the caller gives JSON. */
export interface Entry {
  /** 1 to 1,024 printable ASCII characters, so that every engine orders keys alike. */
  readonly key: string;
  readonly value: string;
  /** Revision of the transaction that wrote this value: an object's resourceVersion. */
  readonly revision: number;
  /** Revision of the transaction that created the key. */
  readonly created: number;
}

export interface Compare {
  readonly key: string;
  /** The entry's revision, or 0 for: must not exist. */
  readonly revision: number;
}

/** Names each key at most once among put and delete. Deleting what is not there is no write. */
export interface Transaction {
  readonly compare: readonly Compare[];
  readonly put: readonly { readonly key: string; readonly value: string }[];
  readonly delete: readonly string[];
}

/**
 * All or nothing. `conflict` names the first comparison that failed, with what is there now. A transaction that wrote
 * nothing reports the present revision.
 */
export type TransactionResult =
  | { readonly ok: true; readonly revision: number }
  | { readonly ok: false; readonly conflict: Compare; readonly present: Entry | undefined };

export interface Page {
  readonly entries: readonly Entry[];
  /** The revision that the page shows, whole. */
  readonly revision: number;
  /** More keys follow the last one under the prefix. */
  readonly more: boolean;
  /** How many keys follow beyond this page. */
  readonly remaining: number;
}

export interface ListOptions {
  /**
   * The present unless told. Throws {@link CompactedError} when history no longer reaches so far back,
   * {@link FutureRevisionError} when it has not come yet.
   */
  readonly revision?: number;
  /** At most so many entries; all unless told. */
  readonly limit?: number;
  /** Only keys after this one, in code-unit order. */
  readonly after?: string;
}

export type ChangeType = 'put' | 'delete';

export interface Change {
  readonly type: ChangeType;
  readonly key: string;
  readonly revision: number;
  /** What was written; for a delete, what was there. */
  readonly value: string;
  /** What was there before; undefined when the key is new. */
  readonly previous: Entry | undefined;
}

export interface WatchOptions {
  /** Changes with a greater revision follow, each exactly once, in order, all of one revision together. */
  readonly after: number;
  /** Ends the watch, without an error. So does the store's closing. */
  readonly signal: AbortSignal;
}

/** A batch: what has happened since the last, and the revision it reaches. An empty batch tells progress alone. */
export interface Changes {
  readonly changes: readonly Change[];
  readonly revision: number;
}

/** Revision asked for is older than the history kept. The caller lists anew (410 Gone). */
export class CompactedError extends Error {
  override readonly name = 'CompactedError';
  readonly compacted: number;
  constructor(asked: number, compacted: number) {
    super(`revision ${asked}: history before ${compacted} is compacted; list again`);
    this.compacted = compacted;
  }
}

/** Revision asked for has not come yet: the asker knew another store, or this one before it was restored. */
export class FutureRevisionError extends Error {
  override readonly name = 'FutureRevisionError';
  readonly present: number;
  constructor(asked: number, present: number) {
    super(`revision ${asked}: the store is at ${present}; list again`);
    this.present = present;
  }
}

/** The store was closed before or during the call. */
export class StoreClosedError extends Error {
  override readonly name = 'StoreClosedError';
  constructor() {
    super('store: is closed');
  }
}

/**
 * The writer's epoch is not the leader's: another leads by now, or the writer never did. Nothing was written, and nothing that this
 * writer sends later will be.
 */
export class NotLeaderError extends Error {
  override readonly name = 'NotLeaderError';
  constructor(epoch: number, leader: number) {
    super(`store: epoch ${epoch} does not lead (the leader's is ${leader}); nothing was written`);
  }
}

/** A write was sent and its answer is lost for good: it may have been carried out or not. Read back before trying again. */
export class OutcomeUnknownError extends Error {
  override readonly name = 'OutcomeUnknownError';
}

/** The store cannot be reached, and nothing was done. */
export class StoreUnreachableError extends Error {
  override readonly name = 'StoreUnreachableError';
}

/** Leases live beside the log: renewing one writes no revision (kine's lesson, k3s#5033). */
export interface Leases {
  /**
   * Takes or renews `name` for `holder`; the epoch rises by one each time the holder changes. Undefined when another
   * holds it. A holder that comes back after its own expiry, with nobody in between, keeps its epoch.
   */
  acquire(name: string, holder: string, ttlMs: number): Promise<{ readonly epoch: number } | undefined>;
  /** Gives it up; whoever takes it next has the next epoch. Nothing happens unless `holder` holds it. */
  release(name: string, holder: string): Promise<void>;
}

export interface Store {
  readonly leases: Leases;
  /** The newest revision. */
  revision(): Promise<number>;
  get(key: string): Promise<Entry | undefined>;
  /** Keys that begin with `prefix`, in code-unit order. */
  list(prefix: string, options?: ListOptions): Promise<Page>;
  /** Durable when it resolves. Throws TypeError for a transaction outside the limits of transaction.ts. */
  transact(transaction: Transaction): Promise<TransactionResult>;
  /**
   * The first batch comes at once, empty when history holds nothing for it; later ones when something changes, or about
   * once a second to tell progress. Throws {@link CompactedError} from the iteration when `after`, or where a slow reader
   * has got to, is no longer in history, and {@link FutureRevisionError} when it has not come yet. A slow reader holds no
   * memory: it reads on from the log.
   */
  watch(prefix: string, options: WatchOptions): AsyncIterable<Changes>;
  /** Forgets history up to and including `revision`, but never what is current. Older than before: nothing happens. */
  compact(revision: number): Promise<void>;
  /** Ends all watches; resolves when nothing is open. */
  close(): Promise<void>;
}
