import type { Client, List, PatchOptions, WatchEvent, WatchOptions } from '../../../api/client/client.ts';
import type { Kind, KubeObject } from '../../../api/kinds/kind.ts';

interface Held {
  readonly kind: string;
  readonly object: KubeObject;
  readonly event: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly revision: number;
}

/** An API server of a few lines, in memory: list, watch and status patches, for tests that need a Client and no server. */
export class FakeClient implements Client {
  readonly #objects = new Map<string, Held>();
  readonly #history: Held[] = [];
  #watchers = new Set<() => void>();
  #revision = 1_000_000;

  put(kind: Kind, object: KubeObject): void {
    const key = keyOf(kind.kind, object.metadata);
    this.#store(key, kind.kind, object, this.#objects.has(key) ? 'MODIFIED' : 'ADDED');
  }

  remove(kind: Kind, object: KubeObject): void {
    const key = keyOf(kind.kind, object.metadata);
    this.#store(key, kind.kind, object, 'DELETED');
    this.#objects.delete(key);
  }

  stored<T extends KubeObject>(kind: Kind<T>, ref: { readonly namespace?: string; readonly name: string }): T {
    const held = this.#objects.get(keyOf(kind.kind, ref));
    if (held === undefined) throw new Error(`${kind.kind} ${ref.name}: not there`);
    return held.object as T;
  }

  get<T extends KubeObject>(kind: Kind<T>, ref: { readonly namespace?: string; readonly name: string }): Promise<T> {
    return Promise.resolve(this.stored(kind, ref));
  }

  list<T extends KubeObject>(kind: Kind<T>): Promise<List<T>> {
    const held = [...this.#objects.values()].filter((one) => one.kind === kind.kind);
    return Promise.resolve({ items: held.map(({ object }) => object as T), resourceVersion: String(this.#revision) });
  }

  async *watch<T extends KubeObject>(
    kind: Kind<T>,
    { resourceVersion, signal }: WatchOptions,
  ): AsyncIterable<WatchEvent<T>> {
    let after = Number(resourceVersion);
    while (!signal.aborted) {
      for (const { event, object, revision } of this.#history.filter(
        (one) => one.kind === kind.kind && one.revision > after,
      )) {
        after = revision;
        yield { type: event, object: object as T };
      }
      await new Promise<void>((resolve) => {
        const done = (): void => {
          this.#watchers.delete(done);
          signal.removeEventListener('abort', done);
          resolve();
        };
        this.#watchers.add(done);
        signal.addEventListener('abort', done);
        const missed = this.#history.some((one) => one.kind === kind.kind && one.revision > after);
        if (signal.aborted || missed) setImmediate(done);
      });
    }
  }

  patch<T extends KubeObject>(
    kind: Kind<T>,
    ref: { readonly namespace?: string; readonly name: string },
    patch: unknown,
    options: PatchOptions,
  ): Promise<T> {
    const object = this.stored(kind, ref) as T & { status?: Record<string, unknown> };
    const { status } = patch as { status: Record<string, unknown> };
    const merged = { ...object.status, ...status };
    if (options.type === 'strategic') {
      const before = (object.status?.['conditions'] ?? []) as { type: string }[];
      const added = (status['conditions'] ?? []) as { type: string }[];
      merged['conditions'] = [...before.filter(({ type }) => added.every((one) => one.type !== type)), ...added];
    }
    const next = { ...object, status: merged };
    this.put(kind as unknown as Kind, next);
    return Promise.resolve(next);
  }

  create(): never {
    throw new Error('not needed here');
  }

  update(): never {
    throw new Error('not needed here');
  }

  updateStatus(): never {
    throw new Error('not needed here');
  }

  delete(): never {
    throw new Error('not needed here');
  }

  #store(key: string, kind: string, object: KubeObject, event: Held['event']): void {
    const revision = ++this.#revision;
    const versioned = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
    const held: Held = { kind, object: versioned, event, revision };
    this.#objects.set(key, held);
    this.#history.push(held);
    for (const wake of this.#watchers) wake();
  }
}

function keyOf(
  kind: string,
  { namespace, name }: { readonly namespace?: string | undefined; readonly name: string },
): string {
  return `${kind} ${namespace ?? ''}/${name}`;
}
