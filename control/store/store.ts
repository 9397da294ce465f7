/**
 * What the control plane needs of a store: revisioned keys, as in etcd. One revision counter for the whole store; each
 * transaction that writes takes the next one. Every engine passes conformance.ts.
 */

/** A key's value at the revision that last wrote it. Values are bytes to the store; the caller gives JSON text. */
export interface Entry {
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

export interface Transaction {
  readonly compare: readonly Compare[];
  readonly put: readonly { readonly key: string; readonly value: string }[];
  readonly delete: readonly string[];
}

/** All or nothing. `conflict` names the first comparison that failed, with what is there now. */
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
  /** The present unless told. Throws {@link CompactedError} when history no longer reaches so far back. */
  readonly revision?: number;
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

/** Leases live beside the log: renewing one writes no revision (kine's lesson, k3s#5033). */
export interface Leases {
  /** Takes or renews `name` for `holder`; the epoch rises by one each time the holder changes. Undefined when another holds it. */
  acquire(name: string, holder: string, ttlMs: number): Promise<{ readonly epoch: number } | undefined>;
  release(name: string, holder: string): Promise<void>;
}

export interface Store {
  readonly leases: Leases;
  /** The newest revision. */
  revision(): Promise<number>;
  get(key: string): Promise<Entry | undefined>;
  list(prefix: string, options?: ListOptions): Promise<Page>;
  /** Durable when it resolves. */
  transact(transaction: Transaction): Promise<TransactionResult>;
  watch(prefix: string, options: WatchOptions): AsyncIterable<Changes>;
  /** Forgets history up to and including `revision`, but never what is current. */
  compact(revision: number): Promise<void>;
  /** Ends all watches; resolves when nothing is open. */
  close(): Promise<void>;
}
