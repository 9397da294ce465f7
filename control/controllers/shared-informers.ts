import type { Client } from '../../api/client/client.ts';
import { Informer } from '../../api/client/informer.ts';
import { endpointSliceKind } from '../../api/kinds/endpoint-slice.ts';
import type { Kind, KubeObject } from '../../api/kinds/kind.ts';
import { type Pod, podKind } from '../../api/kinds/pod.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { Random } from '../../kit/random.ts';
import { SERVICE_NAME_LABEL } from './endpointslice/labels.ts';
import { controllerOf } from './owner.ts';

export interface InformerSource {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** What every object is found by: its namespace, the uid of its controller, the uids of all its owners. */
const EVERY_KIND = {
  namespace: ({ metadata }: KubeObject): readonly string[] =>
    metadata.namespace === undefined ? [] : [metadata.namespace],
  controller: (object: KubeObject): readonly string[] => {
    const controller = controllerOf(object);
    return controller === undefined ? [] : [controller.uid];
  },
  owner: ({ metadata }: KubeObject): readonly string[] => (metadata.ownerReferences ?? []).map(({ uid }) => uid),
};

/** Pods by the node that they are bound to; '' for those that are not. */
const PODS = { node: (object: KubeObject): readonly string[] => [(object as Pod).spec.nodeName ?? ''] };

/** EndpointSlices by `namespace/name` of their Service. */
const SLICES = {
  service: ({ metadata }: KubeObject): readonly string[] => {
    const service = metadata.labels?.[SERVICE_NAME_LABEL];
    return service === undefined ? [] : [`${metadata.namespace ?? ''}/${service}`];
  },
};

/** One informer a kind for all that look at it, begun when it is first asked for. */
export class SharedInformers {
  readonly #source: InformerSource;
  readonly #informers = new Map<Kind, Informer<KubeObject>>();

  constructor(source: InformerSource) {
    this.#source = source;
  }

  of<T extends KubeObject>(kind: Kind<T>): Informer<T> {
    const key = kind as unknown as Kind;
    const present = this.#informers.get(key);
    const informer = present ?? new Informer({ ...this.#source, kind: key, indexes: indexesOf(key) });
    if (present === undefined) this.#informers.set(key, informer);
    return informer as unknown as Informer<T>;
  }

  /** Resolves when all that were asked for so far have their first list. */
  async synced(): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.synced));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.close()));
  }
}

function indexesOf({ group, kind }: Kind): Readonly<Record<string, (object: KubeObject) => readonly string[]>> {
  if (group === podKind.group && kind === podKind.kind) return { ...EVERY_KIND, ...PODS };
  if (group === endpointSliceKind.group && kind === endpointSliceKind.kind) return { ...EVERY_KIND, ...SLICES };
  return EVERY_KIND;
}
