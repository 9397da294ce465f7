import { isDeepStrictEqual } from 'node:util';
import type { Kind } from '../../../api/kinds/kind.ts';
import { type Namespace, namespaceKind } from '../../../api/kinds/namespace.ts';
import { proxyKind } from '../../../api/kinds/proxy.ts';
import { kinds } from '../../../api/kinds/registry.ts';
import { serviceAccountKind } from '../../../api/kinds/service-account.ts';
import { hasCode } from '../../../api/meta/api-error.ts';
import { timestamp } from '../../../kit/clock.ts';
import type { Workqueue, WorkResult } from '../../../kit/workqueue.ts';
import { type ControllerContext, type Running, refOf, startQueue } from '../controller.ts';
import { DEFAULT_ACCOUNT, decideNamespace, type Remains } from './decide.ts';

/** How often the content of a namespace that ends is looked at: nothing announces that the last object is gone. */
const CONTENT_CHECK_MS = 500;
/** Objects of a kind that are deleted in one round. */
const PAGE = 500;

/** Gives namespaces their default ServiceAccount and empties those that are deleted: see decide.ts. */
export function startNamespaceController(context: ControllerContext): Running {
  const controller = new NamespaceController(context);
  return { close: () => controller.close() };
}

class NamespaceController implements Running {
  readonly #context: ControllerContext;
  readonly #queue: Workqueue;
  readonly #kinds: readonly Kind[] = kinds.filter(
    ({ namespaced, plural }) => namespaced && plural !== proxyKind.plural,
  );
  readonly #unsubscribe: readonly (() => void)[];

  constructor(context: ControllerContext) {
    this.#context = context;
    const { informers } = context;
    const [namespaces, accounts] = [informers.of(namespaceKind), informers.of(serviceAccountKind)];
    this.#queue = startQueue(context, 'namespace-controller', (key) => this.#work(key));
    const enqueue = ({ metadata }: Namespace): void => this.#queue.add(metadata.name);
    this.#unsubscribe = [
      namespaces.subscribe({ onAdd: enqueue, onUpdate: enqueue }),
      accounts.subscribe({ onDelete: ({ metadata }) => this.#queue.add(metadata.namespace ?? '') }),
    ];
  }

  async close(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await this.#queue.close();
  }

  async #work(name: string): Promise<WorkResult> {
    const { client, clock, informers } = this.#context;
    const namespace = informers.of(namespaceKind).get(name);
    if (namespace === undefined) return undefined;
    const isEnding = namespace.metadata.deletionTimestamp !== undefined;
    const remains = isEnding ? await this.#empty(name) : [];
    const hasAccount = informers.of(serviceAccountKind).get(`${name}/${DEFAULT_ACCOUNT}`) !== undefined;
    const plan = decideNamespace(namespace, { hasAccount, remains }, timestamp(clock.now()));
    switch (plan.type) {
      case 'keep':
        return undefined;
      case 'create-account': {
        const metadata = { name: DEFAULT_ACCOUNT, namespace: name };
        await unlessThere(client.create(serviceAccountKind, { metadata }));
        return undefined;
      }
      case 'wait':
        if (!isDeepStrictEqual(plan.namespace.status, namespace.status)) {
          await client.updateStatus(namespaceKind, plan.namespace);
        }
        return { requeueAfterMs: CONTENT_CHECK_MS };
      case 'finish':
        await unlessGone(client.update(namespaceKind, plan.namespace));
        return undefined;
      default:
        return plan satisfies never;
    }
  }

  /** Deletes what is there and gives what is still there after. */
  async #empty(namespace: string): Promise<readonly Remains[]> {
    const { client } = this.#context;
    const remains: Remains[] = [];
    for (const kind of this.#kinds) {
      const { items } = await client.list(kind, { namespace, limit: PAGE });
      const alive = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
      for (const object of alive) {
        const { uid } = object.metadata;
        const options = { propagationPolicy: 'Background', preconditions: { uid } } as const;
        await unlessGone(client.delete(kind, refOf(object), options));
      }
      if (items.length === 0) continue;
      const left = await client.list(kind, { namespace, limit: PAGE });
      if (left.items.length === 0) continue;
      const finalizers = new Set(left.items.flatMap(({ metadata }) => metadata.finalizers ?? []));
      const resource = kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`;
      remains.push({ resource, count: left.items.length, finalizers: [...finalizers] });
    }
    return remains;
  }
}

async function unlessThere(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!hasCode(error, 409)) throw error;
  }
}

async function unlessGone(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!hasCode(error, 404)) throw error;
  }
}
