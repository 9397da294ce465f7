import { type Backoff, backoffMs } from '../../kit/backoff.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { Random } from '../../kit/random.ts';
import type { Kind, KubeObject } from '../kinds/kind.ts';
import { hasCode } from '../meta/api-error.ts';
import type { Client, ListOptions } from './client.ts';

export interface InformerOptions<T extends KubeObject>
  extends Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'> {
  readonly client: Client;
  readonly kind: Kind<T>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** For {@link Informer.byIndex}: the keys under which an object is to be found. */
  readonly indexes?: Readonly<Record<string, (object: T) => readonly string[]>>;
}

/** What is told of changes. A handler that throws is logged and does not stop anything. */
export interface InformerHandlers<T> {
  readonly onAdd?: (object: T) => void;
  readonly onUpdate?: (object: T, old: T) => void;
  readonly onDelete?: (object: T) => void;
}

/** client-go's reflector: 800 ms to 30 s; faster at first, because here the server is next door. */
const BACKOFF: Backoff = { baseMs: 100, maxMs: 10_000, jitter: 0.5 };

/** A watch that lives shorter than this has failed, whatever it says: without it, an empty answer would spin. */
const SHORT_WATCH_MS = 1000;

/** `namespace/name`, or `name` for what has no namespace. */
export function objectKey({ metadata }: KubeObject): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}

/**
 * A copy of a kind's objects that is kept up to date: list, then watch from where the list was; again from the last
 * revision seen when the watch ends; a new list when that revision is forgotten (410). Handlers hear each object's
 * changes in order, without gaps or repeats; several changes during an outage arrive as one. Never throws: it tries
 * again, with growing pauses, until it is closed.
 */
export class Informer<T extends KubeObject> {
  /** Resolves when the first list is in the cache and told to the handlers; rejects when closed before. */
  readonly synced: Promise<void>;
  readonly #options: InformerOptions<T>;
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<string, Map<string, Set<string>>>();
  readonly #handlers = new Set<InformerHandlers<T>>();
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;
  readonly #resolveSynced: () => void;
  #failures = 0;

  constructor(options: InformerOptions<T>, handlers?: InformerHandlers<T>) {
    this.#options = options;
    for (const name of Object.keys(options.indexes ?? {})) this.#indexes.set(name, new Map());
    if (handlers !== undefined) this.#handlers.add(handlers);
    const synced = Promise.withResolvers<void>();
    this.synced = synced.promise;
    this.#resolveSynced = synced.resolve;
    this.synced.catch(() => {}); // Whoever does not wait does not hear of it.
    this.#abort.signal.addEventListener('abort', () => synced.reject(new Error('informer is closed')), { once: true });
    this.#done = this.#run();
  }

  /** Hears of everything from now on, beginning with what is there. Returns how to stop. */
  subscribe(handlers: InformerHandlers<T>): () => void {
    this.#handlers.add(handlers);
    for (const object of this.#objects.values()) this.#tell(() => handlers.onAdd?.(object));
    return () => void this.#handlers.delete(handlers);
  }

  /** By `namespace/name`, or `name` for what has no namespace. Shared: must not be mutated. */
  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): readonly T[] {
    return [...this.#objects.values()];
  }

  byIndex(index: string, key: string): readonly T[] {
    const keys = this.#indexes.get(index);
    if (keys === undefined)
      throw new Error(`informer of ${this.#options.kind.plural}: no index ${JSON.stringify(index)}`);
    return [...(keys.get(key) ?? [])].flatMap((objectKey) => this.#objects.get(objectKey) ?? []);
  }

  /** Resolves when nothing runs any more. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    let revision: string | undefined;
    while (!signal.aborted) {
      try {
        revision ??= await this.#relist();
        for await (const next of this.#follow(revision)) revision = next;
      } catch (error) {
        if (signal.aborted) return;
        if (hasCode(error, 410)) revision = undefined;
        this.#logFailure(error);
      }
      await this.#pause();
    }
  }

  async #relist(): Promise<string> {
    const { client, kind } = this.#options;
    const { items, resourceVersion } = await client.list(kind, this.#selection());
    if (this.#abort.signal.aborted) return resourceVersion;
    const present = new Set(items.map(objectKey));
    for (const [key, object] of this.#objects) if (!present.has(key)) this.#remove(key, object);
    for (const object of items) this.#put(object);
    this.#resolveSynced();
    return resourceVersion;
  }

  /** Applies a watch's events and gives each revision that is reached. */
  async *#follow(resourceVersion: string): AsyncGenerator<string, void, undefined> {
    const { client, kind, clock } = this.#options;
    const { signal } = this.#abort;
    const started = clock.monotonic();
    const lived = (): boolean => clock.monotonic() - started >= SHORT_WATCH_MS;
    try {
      for await (const event of client.watch(kind, { ...this.#selection(), resourceVersion, signal })) {
        if (signal.aborted) return;
        this.#failures = 0;
        if (event.type === 'DELETED') this.#remove(objectKey(event.object), event.object);
        else if (event.type !== 'BOOKMARK') this.#put(event.object);
        yield event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion;
      }
      if (!lived()) this.#failures++;
    } finally {
      if (lived()) this.#failures = 0;
    }
  }

  #selection(): Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'> {
    const { namespace, labelSelector, fieldSelector } = this.#options;
    return {
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    };
  }

  #put(object: T): void {
    const key = objectKey(object);
    const old = this.#objects.get(key);
    if (old !== undefined && sameVersion(old, object)) return;
    if (old !== undefined) this.#unindex(key, old);
    this.#objects.set(key, object);
    this.#index(key, object);
    if (old === undefined) for (const { onAdd } of this.#handlers) this.#tell(() => onAdd?.(object));
    // Deleted and made anew while nobody looked: two objects, not one that changed.
    else if (old.metadata.uid !== object.metadata.uid) {
      for (const { onAdd, onDelete } of this.#handlers) {
        this.#tell(() => onDelete?.(old));
        this.#tell(() => onAdd?.(object));
      }
    } else for (const { onUpdate } of this.#handlers) this.#tell(() => onUpdate?.(object, old));
  }

  #remove(key: string, last: T): void {
    const old = this.#objects.get(key);
    if (old === undefined) return;
    this.#objects.delete(key);
    this.#unindex(key, old);
    for (const { onDelete } of this.#handlers) this.#tell(() => onDelete?.(last));
  }

  #index(key: string, object: T): void {
    for (const [name, keysOf] of Object.entries(this.#options.indexes ?? {})) {
      const index = this.#indexes.get(name);
      for (const value of keysOf(object)) index?.set(value, (index.get(value) ?? new Set()).add(key));
    }
  }

  #unindex(key: string, object: T): void {
    for (const [name, keysOf] of Object.entries(this.#options.indexes ?? {})) {
      const index = this.#indexes.get(name);
      for (const value of keysOf(object)) {
        const keys = index?.get(value);
        keys?.delete(key);
        if (keys?.size === 0) index?.delete(value);
      }
    }
  }

  #tell(handler: () => void): void {
    try {
      handler();
    } catch (error) {
      this.#options.log.error({ error }, `informer of ${this.#options.kind.plural}: a handler threw`);
    }
  }

  #logFailure(error: unknown): void {
    const { log, kind } = this.#options;
    // A lost history is part of life; the rest is worth a look, but not at every attempt.
    if (hasCode(error, 410)) log.debug(`informer of ${kind.plural}: history is gone, listing anew`);
    else if (this.#failures === 0) log.warn({ error }, `informer of ${kind.plural}: will try again`);
    this.#failures++;
  }

  async #pause(): Promise<void> {
    if (this.#failures === 0) return;
    const { clock, random } = this.#options;
    const delayMs = backoffMs(this.#failures - 1, BACKOFF, random);
    // An abort ends the pause early: the loop looks at the signal next.
    await clock.sleep(delayMs, this.#abort.signal).catch(() => {});
  }
}

function sameVersion(left: KubeObject, right: KubeObject): boolean {
  return left.metadata.uid === right.metadata.uid && left.metadata.resourceVersion === right.metadata.resourceVersion;
}
