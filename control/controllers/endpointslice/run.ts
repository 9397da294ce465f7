import { createHash } from 'node:crypto';
import { objectKey } from '../../../api/client/informer.ts';
import { type EndpointSlice, endpointSliceKind } from '../../../api/kinds/endpoint-slice.ts';
import { nodeKind } from '../../../api/kinds/node.ts';
import { type Pod, podKind } from '../../../api/kinds/pod.ts';
import { type Service, serviceKind } from '../../../api/kinds/service.ts';
import { hasCode } from '../../../api/meta/api-error.ts';
import { matchesSelector } from '../../../api/meta/label-selector.ts';
import type { Workqueue, WorkResult } from '../../../kit/workqueue.ts';
import { type ControllerContext, type Running, refOf, startQueue } from '../controller.ts';
import { ReadYourWrites } from '../read-your-writes.ts';
import { decideEndpointSlices } from './decide.ts';
import { MANAGED_BY, MANAGED_BY_LABEL, SERVICE_NAME_LABEL } from './labels.ts';

const ZONE_LABEL = 'topology.kubernetes.io/zone';

/** Shows the pods of each Service as EndpointSlices: see decide.ts. */
export function startEndpointSliceController(context: ControllerContext): Running {
  const controller = new EndpointSliceController(context);
  return { close: () => controller.close() };
}

class EndpointSliceController implements Running {
  readonly #context: ControllerContext;
  readonly #queue: Workqueue;
  readonly #written = new ReadYourWrites();
  readonly #unsubscribe: readonly (() => void)[];

  constructor(context: ControllerContext) {
    this.#context = context;
    const { informers } = context;
    const [services, pods, slices] = [
      informers.of(serviceKind),
      informers.of(podKind),
      informers.of(endpointSliceKind),
    ];
    informers.of(nodeKind);
    this.#queue = startQueue(context, 'endpointslice-controller', (key) => this.#work(key));
    const enqueue = (service: Service): void => this.#queue.add(objectKey(service));
    this.#unsubscribe = [
      services.subscribe({ onAdd: enqueue, onUpdate: enqueue }),
      pods.subscribe({
        onAdd: (pod) => this.#enqueueServicesOf(pod),
        onUpdate: (pod, old) => {
          this.#enqueueServicesOf(pod);
          if (pod.metadata.labels !== old.metadata.labels) this.#enqueueServicesOf(old);
        },
        onDelete: (pod) => this.#enqueueServicesOf(pod),
      }),
      // Somebody else's change to a slice is put right.
      slices.subscribe({
        onAdd: (slice) => this.#enqueueServiceOf(slice),
        onUpdate: (slice) => this.#enqueueServiceOf(slice),
        onDelete: (slice) => {
          this.#written.forget(slice.metadata.uid);
          this.#enqueueServiceOf(slice);
        },
      }),
    ];
  }

  async close(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await this.#queue.close();
  }

  #enqueueServicesOf({ metadata }: Pod): void {
    for (const service of this.#context.informers.of(serviceKind).byIndex('namespace', metadata.namespace ?? '')) {
      if (selects(service, metadata.labels)) this.#queue.add(objectKey(service));
    }
  }

  #enqueueServiceOf({ metadata }: EndpointSlice): void {
    const service = metadata.labels?.[SERVICE_NAME_LABEL];
    if (service !== undefined) this.#queue.add(`${metadata.namespace ?? ''}/${service}`);
  }

  async #work(key: string): Promise<WorkResult> {
    const { client, informers } = this.#context;
    const service = informers.of(serviceKind).get(key);
    // Slices of a Service that is gone have an owner that is gone: they are garbage.
    if (service === undefined || service.spec.selector === undefined) return undefined;
    const slices = informers
      .of(endpointSliceKind)
      .byIndex('service', key)
      .filter(({ metadata }) => metadata.labels?.[MANAGED_BY_LABEL] === MANAGED_BY);
    if (!slices.every((slice) => this.#written.isCurrent(slice))) return undefined;
    const pods = informers.of(podKind).byIndex('namespace', service.metadata.namespace ?? '');
    const plan = decideEndpointSlices({
      service,
      slices,
      pods: pods.filter(({ metadata }) => selects(service, metadata.labels)),
      zoneOf: (nodeName) => informers.of(nodeKind).get(nodeName)?.metadata.labels?.[ZONE_LABEL],
      nameOf: (index) => sliceName(service, index),
    });
    for (const draft of plan.creates) await client.create(endpointSliceKind, draft);
    for (const slice of plan.updates) this.#written.wrote(await client.update(endpointSliceKind, slice));
    for (const slice of plan.deletes) await this.#delete(slice);
    return undefined;
  }

  async #delete(slice: EndpointSlice): Promise<void> {
    const { uid, resourceVersion } = slice.metadata;
    try {
      const preconditions = { uid, resourceVersion };
      await this.#context.client.delete(endpointSliceKind, refOf(slice), { preconditions });
    } catch (error) {
      if (!hasCode(error, 404)) throw error;
    }
  }
}

function selects({ spec }: Service, labels: Readonly<Record<string, string>> | undefined): boolean {
  const { selector } = spec;
  return selector !== undefined && matchesSelector({ matchLabels: selector }, labels);
}

/** Looks like a generated name and is always the same for the n-th slice of one Service. */
function sliceName({ metadata }: Service, index: number): string {
  const hash = createHash('sha256').update(`${metadata.uid}/${index}`).digest('hex').slice(0, 5);
  return `${metadata.name}-${hash}`;
}
