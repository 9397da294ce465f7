import { objectKey } from '../../../api/client/informer.ts';
import { eventKind } from '../../../api/kinds/event.ts';
import { apiVersionOf, type Kind, type KubeObject } from '../../../api/kinds/kind.ts';
import { proxyKind } from '../../../api/kinds/proxy.ts';
import { kindOf, kinds } from '../../../api/kinds/registry.ts';
import { hasCode } from '../../../api/meta/api-error.ts';
import type { OwnerReference } from '../../../api/meta/object-meta.ts';
import type { Workqueue, WorkResult } from '../../../kit/workqueue.ts';
import { type ControllerContext, type Running, refOf, startQueue } from '../controller.ts';
import { decideGarbage, type GarbagePlan, isWaiting, ORPHAN, type OwnerState } from './decide.ts';

const COMPONENT = 'garbage-collector';

/** Events end by their age, not by their owners; proxies are not stored at all. */
const IGNORED: readonly string[] = [eventKind.plural, proxyKind.plural];

/** Deletes what has lost its owners, and carries out foreground and orphaning deletions: see decide.ts. */
export function startGarbageCollector(context: ControllerContext): Running {
  const collector = new GarbageCollector(context);
  return { close: () => collector.close() };
}

class GarbageCollector implements Running {
  readonly #context: ControllerContext;
  readonly #queue: Workqueue;
  readonly #kinds: readonly Kind[] = kinds.filter(({ plural }) => !IGNORED.includes(plural));
  readonly #unsubscribe: readonly (() => void)[];

  constructor(context: ControllerContext) {
    this.#context = context;
    const informers = this.#kinds.map((kind) => ({ kind, informer: context.informers.of(kind) }));
    this.#queue = startQueue(context, COMPONENT, (key) => this.#work(key));
    this.#unsubscribe = informers.map(({ kind, informer }) =>
      informer.subscribe({
        onAdd: (object) => this.#look(kind, object),
        onUpdate: (object, old) => {
          if (changesOwnership(object, old)) this.#look(kind, object);
        },
        onDelete: (object) => {
          this.#lookAtDependents(object);
          for (const reference of object.metadata.ownerReferences ?? []) this.#lookAtOwner(object, reference);
        },
      }),
    );
  }

  async close(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await this.#queue.close();
  }

  #look(kind: Kind, object: KubeObject): void {
    const { ownerReferences = [], deletionTimestamp, finalizers = [] } = object.metadata;
    const isHeld = deletionTimestamp !== undefined && (finalizers.includes(ORPHAN) || isWaiting(object));
    if (ownerReferences.length > 0 || isHeld) this.#queue.add(workKey(kind, objectKey(object)));
    if (isWaiting(object)) this.#lookAtDependents(object);
  }

  #lookAtDependents({ metadata }: KubeObject): void {
    for (const kind of this.#kinds) {
      for (const dependent of this.#context.informers.of(kind).byIndex('owner', metadata.uid)) {
        this.#queue.add(workKey(kind, objectKey(dependent)));
      }
    }
  }

  /** An owner that waits for its dependents has one less. */
  #lookAtOwner(dependent: KubeObject, reference: OwnerReference): void {
    const kind = kindOf(reference.apiVersion, reference.kind);
    if (kind !== undefined) this.#queue.add(workKey(kind, ownerKey(kind, dependent, reference)));
  }

  async #work(key: string): Promise<WorkResult> {
    const { kind, key: name } = parseWorkKey(key);
    if (kind === undefined) return undefined;
    const object = this.#context.informers.of(kind).get(name);
    if (object === undefined) return undefined;
    const owners = await Promise.all(
      (object.metadata.ownerReferences ?? []).map(async (reference) => ({
        reference,
        state: await this.#stateOf(object, reference),
      })),
    );
    const plan = decideGarbage({ object, owners, dependents: this.#dependentsOf(object).map((each) => each.object) });
    if (plan.type !== 'keep') this.#context.log.debug({ key, plan: plan.type, reason: plan.reason }, COMPONENT);
    await this.#execute(kind, object, plan);
    return undefined;
  }

  #dependentsOf({ metadata }: KubeObject): readonly { readonly kind: Kind; readonly object: KubeObject }[] {
    return this.#kinds.flatMap((kind) =>
      this.#context.informers
        .of(kind)
        .byIndex('owner', metadata.uid)
        .map((object) => ({ kind, object })),
    );
  }

  /** From the cache when it is there; that it is gone is believed only from the server itself. */
  async #stateOf(dependent: KubeObject, reference: OwnerReference): Promise<OwnerState> {
    const kind = kindOf(reference.apiVersion, reference.kind);
    const { namespace } = dependent.metadata;
    if (kind === undefined || (kind.namespaced && namespace === undefined)) return 'unknown';
    const cached = IGNORED.includes(kind.plural)
      ? undefined
      : this.#context.informers.of(kind).get(ownerKey(kind, dependent, reference));
    const owner = cached?.metadata.uid === reference.uid ? cached : await this.#getOwner(kind, dependent, reference);
    if (owner?.metadata.uid !== reference.uid) return 'absent';
    return isWaiting(owner) ? 'waiting' : 'present';
  }

  async #getOwner(kind: Kind, { metadata }: KubeObject, { name }: OwnerReference): Promise<KubeObject | undefined> {
    const namespaced = kind.namespaced && metadata.namespace !== undefined;
    try {
      return await this.#context.client.get(
        kind,
        namespaced ? { namespace: metadata.namespace ?? '', name } : { name },
      );
    } catch (error) {
      if (hasCode(error, 404)) return undefined;
      throw error;
    }
  }

  async #execute(kind: Kind, object: KubeObject, plan: GarbagePlan): Promise<void> {
    const { client } = this.#context;
    const { uid, resourceVersion } = object.metadata;
    switch (plan.type) {
      case 'keep':
        return;
      case 'delete':
        return await unlessGone(
          client.delete(kind, refOf(object), {
            propagationPolicy: plan.policy,
            preconditions: { uid, resourceVersion },
          }),
        );
      case 'drop-owners':
        return await unlessGone(client.update(kind, withoutOwners(object, plan.uids)));
      case 'await-dependents':
        return this.#lookAtDependents(object);
      case 'release': {
        const orphans = plan.orphans.length === 0 ? [] : this.#dependentsOf(object);
        for (const each of orphans) await unlessGone(client.update(each.kind, withoutOwners(each.object, [uid])));
        return await unlessGone(client.update(kind, withoutFinalizer(object, plan.finalizer)));
      }
      default:
        return plan satisfies never;
    }
  }
}

function changesOwnership({ metadata }: KubeObject, { metadata: old }: KubeObject): boolean {
  return (
    metadata.deletionTimestamp !== old.deletionTimestamp ||
    JSON.stringify(metadata.finalizers) !== JSON.stringify(old.finalizers) ||
    JSON.stringify(metadata.ownerReferences) !== JSON.stringify(old.ownerReferences)
  );
}

function withoutOwners<T extends KubeObject>(object: T, uids: readonly string[]): T {
  const { ownerReferences = [], ...metadata } = object.metadata;
  const left = ownerReferences.filter(({ uid }) => !uids.includes(uid));
  return { ...object, metadata: left.length === 0 ? metadata : { ...metadata, ownerReferences: left } };
}

function withoutFinalizer<T extends KubeObject>(object: T, finalizer: string): T {
  const { finalizers = [], ...metadata } = object.metadata;
  const left = finalizers.filter((name) => name !== finalizer);
  return { ...object, metadata: left.length === 0 ? metadata : { ...metadata, finalizers: left } };
}

async function unlessGone(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!hasCode(error, 404)) throw error;
  }
}

/** Owners are in the namespace of what they own, or in none. */
function ownerKey(kind: Kind, { metadata }: KubeObject, { name }: OwnerReference): string {
  return kind.namespaced ? `${metadata.namespace ?? ''}/${name}` : name;
}

function workKey(kind: Kind, key: string): string {
  return `${apiVersionOf(kind)} ${kind.kind} ${key}`;
}

function parseWorkKey(text: string): { readonly kind: Kind | undefined; readonly key: string } {
  const [apiVersion = '', kind = '', key = ''] = text.split(' ');
  return { kind: kindOf(apiVersion, kind), key };
}
