import { EventRecorder } from '../../api/client/events/event-recorder.ts';
import { objectKey } from '../../api/client/informer.ts';
import { type Node, nodeKind } from '../../api/kinds/node.ts';
import { type Pod, podKind } from '../../api/kinds/pod.ts';
import { hasCode } from '../../api/meta/api-error.ts';
import { findCondition, setCondition } from '../../api/meta/condition.ts';
import { timestamp } from '../../kit/clock.ts';
import { type ControllerContext, type Running, refOf, untilSynced } from '../controllers/controller.ts';
import { isTerminal } from '../controllers/pod-state.ts';
import { type InformerSource, SharedInformers } from '../controllers/shared-informers.ts';
import type { PodToPlace } from './candidate.ts';
import { ClusterView, toPlace } from './cluster-view.ts';
import { decidePlacement } from './decide.ts';
import { SchedulingQueue } from './queue.ts';

/** The name by which pods ask for this scheduler; their default. */
const SCHEDULER_NAME = 'default-scheduler';

/** Bindings under way at once: the next pod is decided on while the last one is written. */
const BINDINGS_LIMIT = 32;

export type SchedulerOptions = InformerSource & Partial<Pick<ControllerContext, 'informers' | 'recorder'>>;

/**
 * Gives every pod a node: see decide.ts. With the informers and the recorder of startControllers it shares their copies of
 * pods and nodes; without, it has its own.
 */
export function startScheduler(options: SchedulerOptions): Running {
  const owned = options.informers === undefined ? new SharedInformers(options) : undefined;
  const informers = options.informers ?? owned ?? new SharedInformers(options);
  const recorder = options.recorder ?? new EventRecorder(options);
  const scheduler = new Scheduler({ ...options, informers, recorder });
  return {
    close: async () => {
      await scheduler.close();
      await owned?.close();
      if (options.recorder === undefined) await recorder.close();
    },
  };
}

class Scheduler implements Running {
  readonly #context: ControllerContext;
  readonly #view = new ClusterView();
  readonly #queue: SchedulingQueue;
  readonly #abort = new AbortController();
  readonly #bindings = new Set<Promise<void>>();
  readonly #unsubscribe: readonly (() => void)[];
  readonly #done: Promise<void>;
  #wake: () => void = () => {};

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#queue = new SchedulingQueue(context.random);
    const { informers } = context;
    this.#unsubscribe = [
      informers.of(nodeKind).subscribe({
        onAdd: (node) => this.#sawNode(node, undefined),
        onUpdate: (node, old) => this.#sawNode(node, old),
        onDelete: (node) => this.#view.removeNode(node),
      }),
      informers.of(podKind).subscribe({
        onAdd: (pod) => this.#sawPod(pod),
        onUpdate: (pod) => this.#sawPod(pod),
        onDelete: (pod) => {
          this.#queue.remove(pod.metadata.uid);
          this.#view.removePod(pod);
          if (pod.spec.nodeName) this.#roomChanged();
        },
      }),
    ];
    this.#done = this.#run();
  }

  async close(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#abort.abort();
    this.#wake();
    await this.#done;
    await Promise.all(this.#bindings);
  }

  #sawNode(node: Node, old: Node | undefined): void {
    this.#view.setNode(node);
    // Heartbeats alone make no room.
    if (old === undefined || placementText(node) !== placementText(old)) this.#roomChanged();
  }

  #sawPod(pod: Pod): void {
    const { uid } = pod.metadata;
    this.#view.setPod(pod);
    if (isWaiting(pod) && !this.#view.isPlaced(uid)) {
      const { priority = 0 } = pod.spec;
      this.#queue.add({ uid, key: objectKey(pod), priority, since: pod.metadata.creationTimestamp });
      this.#wake();
    } else {
      this.#queue.remove(uid);
      if (isTerminal(pod)) this.#roomChanged();
    }
  }

  #roomChanged(): void {
    this.#queue.wakeParked();
    this.#wake();
  }

  async #run(): Promise<void> {
    const { clock, informers } = this.#context;
    const { signal } = this.#abort;
    if (!(await untilSynced(informers, signal))) return;
    while (!signal.aborted) {
      const next = this.#queue.next(clock.monotonic());
      if (next === undefined) await this.#pause();
      else if (this.#bindings.size >= BINDINGS_LIMIT) await Promise.race(this.#bindings);
      else await this.#place(next.key, next.uid);
    }
  }

  /** Until something happens, or a pod comes due by itself. */
  async #pause(): Promise<void> {
    const { clock } = this.#context;
    const woken = Promise.withResolvers<void>();
    this.#wake = woken.resolve;
    const dueAt = this.#queue.nextDueAt();
    const timer =
      dueAt === undefined ? undefined : clock.timer(Math.max(0, dueAt - clock.monotonic()), () => woken.resolve());
    if (this.#abort.signal.aborted) woken.resolve();
    await woken.promise;
    timer?.stop();
    this.#wake = () => {};
  }

  async #place(key: string, uid: string): Promise<void> {
    const { informers, random, clock, log } = this.#context;
    const pod = informers.of(podKind).get(key);
    if (pod === undefined || pod.metadata.uid !== uid || !isWaiting(pod)) return this.#queue.remove(uid);
    const toBePlaced = toPlace(pod);
    const placement = decidePlacement(toBePlaced, this.#view.candidates(), random);
    log.debug({ pod: key, placement: { ...placement, refusals: placement.refusals.length } }, 'scheduler: decided');
    if (placement.type === 'bind') {
      this.#view.assume(toBePlaced, placement.node);
      this.#queue.remove(uid);
      this.#track(this.#bind(toBePlaced, placement.node));
    } else {
      this.#queue.park(uid, clock.monotonic());
      await this.#tellUnschedulable(pod, placement.message);
    }
  }

  #track(binding: Promise<void>): void {
    this.#bindings.add(binding);
    void binding.finally(() => this.#bindings.delete(binding));
  }

  /** Writes the node into the pod. The server refuses it for another pod of that name, and for one that has a node. */
  async #bind(placed: PodToPlace, node: string): Promise<void> {
    const { client, recorder, clock, log } = this.#context;
    const { pod } = placed;
    const { uid, namespace = '', name, creationTimestamp } = pod.metadata;
    try {
      const patch = { metadata: { uid }, spec: { nodeName: node } };
      await client.patch(podKind, refOf(pod), patch, { type: 'merge' });
      const message = `Successfully assigned ${namespace}/${name} to ${node}`;
      recorder.record({ component: SCHEDULER_NAME }, podKind, pod, { type: 'Normal', reason: 'Scheduled', message });
    } catch (error) {
      this.#view.forget(placed);
      if (hasCode(error, 404)) return;
      if (!hasCode(error, 409)) log.warn({ error, pod: name }, 'scheduler: cannot bind, will try again');
      this.#queue.add({ uid, key: objectKey(pod), priority: pod.spec.priority ?? 0, since: creationTimestamp });
      this.#queue.retry(uid, clock.monotonic());
      this.#wake();
    }
  }

  /** The reasons, as a condition of the pod and as an event. */
  async #tellUnschedulable(pod: Pod, message: string): Promise<void> {
    const { client, recorder, clock, log } = this.#context;
    recorder.record({ component: SCHEDULER_NAME }, podKind, pod, {
      type: 'Warning',
      reason: 'FailedScheduling',
      message,
    });
    const present = findCondition(pod.status.conditions, 'PodScheduled');
    if (present?.status === 'False' && present.message === message) return;
    const verdict = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message } as const;
    const conditions = setCondition(pod.status.conditions, verdict, timestamp(clock.now()));
    try {
      await client.updateStatus(podKind, { ...pod, status: { ...pod.status, conditions } });
    } catch (error) {
      // It changed or is gone: the next attempt tells again.
      if (!hasCode(error, 404) && !hasCode(error, 409)) log.warn({ error }, 'scheduler: cannot say why a pod waits');
    }
  }
}

/** Whether the pod wants a node from this scheduler. */
function isWaiting(pod: Pod): boolean {
  const { nodeName, schedulerName, schedulingGates = [] } = pod.spec;
  return (
    !nodeName &&
    schedulerName === SCHEDULER_NAME &&
    schedulingGates.length === 0 &&
    pod.metadata.deletionTimestamp === undefined &&
    !isTerminal(pod)
  );
}

/** What of a node decides on placements. */
function placementText({ metadata, spec, status }: Node): string {
  const ready = findCondition(status.conditions, 'Ready')?.status;
  const { unschedulable, taints } = spec;
  return JSON.stringify([metadata.labels, unschedulable, taints, status.allocatable, ready]);
}
