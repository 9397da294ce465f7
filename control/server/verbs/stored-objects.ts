import type { ObjectRef } from '../../../api/client/client.ts';
import type { Kind, KubeObject } from '../../../api/kinds/kind.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import type { Change, Entry, ListOptions, Store, Transaction, TransactionResult } from '../../store/store.ts';
import { MAX_VALUE_BYTES } from '../../store/transaction.ts';
import { DecodedObjects } from './decoded-objects.ts';
import { keyPrefix, objectKey } from './object-key.ts';
import type { ValueCodec } from './value-codec.ts';

export interface StoredPage<T> {
  readonly objects: readonly T[];
  readonly revision: number;
  readonly more: boolean;
  readonly remaining: number;
  /** The key of the last object, from where the next page goes on. */
  readonly last: string | undefined;
}

/** One object changed. A kind's objects before and after are decoded when asked for. */
export interface ObjectChange<T> {
  readonly revision: number;
  /** Undefined when the change created it. */
  readonly before: () => T | undefined;
  /** Undefined when the change deleted it. */
  readonly after: () => T | undefined;
}

export interface ObjectChanges<T> {
  readonly changes: readonly ObjectChange<T>[];
  readonly revision: number;
}

/** Kubernetes objects over the store's text: keys, encoding, and the revision as resourceVersion. */
export class StoredObjects {
  readonly #store: Store;
  readonly #codec: ValueCodec;
  readonly #decoded = new DecodedObjects();

  constructor(store: Store, codec: ValueCodec) {
    this.#store = store;
    this.#codec = codec;
  }

  async get<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): Promise<T | undefined> {
    const entry = await this.#store.get(objectKey(kind, ref));
    return entry === undefined ? undefined : this.decode(kind, entry);
  }

  async page<T extends KubeObject>(
    kind: Kind<T>,
    namespace: string | undefined,
    options: ListOptions,
  ): Promise<StoredPage<T>> {
    const { entries, ...page } = await this.#store.list(keyPrefix(kind, namespace), options);
    return { ...page, objects: entries.map((entry) => this.decode(kind, entry)), last: entries.at(-1)?.key };
  }

  async *watch<T extends KubeObject>(
    kind: Kind<T>,
    namespace: string | undefined,
    options: { readonly after: number; readonly signal: AbortSignal },
  ): AsyncGenerator<ObjectChanges<T>> {
    for await (const { changes, revision } of this.#store.watch(keyPrefix(kind, namespace), options)) {
      yield { changes: changes.map((change) => this.#objectChange(kind, change)), revision };
    }
  }

  revision(): Promise<number> {
    return this.#store.revision();
  }

  /** Keys under a prefix that is not an object's. */
  async keys(prefix: string): Promise<readonly string[]> {
    const { entries } = await this.#store.list(prefix);
    return entries.map(({ key }) => key);
  }

  async transact(transaction: Transaction): Promise<TransactionResult> {
    return await this.#store.transact(transaction);
  }

  decode<T extends KubeObject>(kind: Kind<T>, entry: Pick<Entry, 'key' | 'value' | 'revision'>): T {
    const { key, value, revision } = entry;
    return this.#decoded.at(key, revision, () => {
      const object = JSON.parse(this.#codec.open(kind, key, value)) as T;
      object.metadata.resourceVersion = String(revision);
      return object;
    });
  }

  /** The value to store. The resourceVersion is left out: it is the revision that the transaction will get. */
  encode<T extends KubeObject>(kind: Kind<T>, key: string, object: T): string {
    const { resourceVersion: _, ...metadata } = object.metadata;
    const value = this.#codec.seal(kind, key, JSON.stringify({ ...object, metadata }));
    // A third of the limit in characters cannot be over it in bytes.
    if (value.length * 3 > MAX_VALUE_BYTES && Buffer.byteLength(value) > MAX_VALUE_BYTES) {
      throw ApiError.tooLarge(`Request entity too large: the object is over ${MAX_VALUE_BYTES} bytes`);
    }
    return value;
  }

  #objectChange<T extends KubeObject>(kind: Kind<T>, change: Change): ObjectChange<T> {
    const { key, value, revision, previous, type } = change;
    if (type === 'delete') this.#decoded.forget(key);
    return {
      revision,
      before: () => (previous === undefined ? undefined : this.decode(kind, previous)),
      after: () => (type === 'delete' ? undefined : this.decode(kind, { key, value, revision })),
    };
  }
}
