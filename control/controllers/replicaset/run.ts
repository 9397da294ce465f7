import { isDeepStrictEqual } from 'node:util';
import type { Draft } from '../../../api/client/client.ts';
import type { Occurrence } from '../../../api/client/events/occurrence.ts';
import { objectKey } from '../../../api/client/informer.ts';
import { namespaceKind } from '../../../api/kinds/namespace.ts';
import { type Pod, podKind } from '../../../api/kinds/pod.ts';
import { type ReplicaSet, replicaSetKind } from '../../../api/kinds/replica-set.ts';
import { ApiError, hasCode } from '../../../api/meta/api-error.ts';
import { timestamp } from '../../../kit/clock.ts';
import type { Workqueue, WorkResult } from '../../../kit/workqueue.ts';
import { settleOwnership } from '../adoption.ts';
import { type ControllerContext, type Running, refOf, startQueue } from '../controller.ts';
import { claim, controllerOf } from '../owner.ts';
import { isActive } from '../pod-state.ts';
import { slowStart } from '../slow-start.ts';
import { decideReplicaSet, type ReplicaSetPlan } from './decide.ts';
import { Expectations } from './expectations.ts';
import { type Failure, observedStatus } from './status.ts';

const COMPONENT = 'replicaset-controller';

/** Keeps as many pods as each ReplicaSet wants: see decide.ts. */
export function startReplicaSetController(context: ControllerContext): Running {
  const controller = new ReplicaSetController(context);
  return { close: () => controller.close() };
}

class ReplicaSetController implements Running {
  readonly #context: ControllerContext;
  readonly #queue: Workqueue;
  readonly #expectations: Expectations;
  readonly #unsubscribe: readonly (() => void)[];

  constructor(context: ControllerContext) {
    this.#context = context;
    const { informers, clock } = context;
    const [replicaSets, pods] = [informers.of(replicaSetKind), informers.of(podKind)];
    informers.of(namespaceKind);
    this.#expectations = new Expectations(() => clock.monotonic());
    this.#queue = startQueue(context, COMPONENT, (key) => this.#work(key));
    const enqueue = (replicaSet: ReplicaSet): void => this.#queue.add(objectKey(replicaSet));
    this.#unsubscribe = [
      replicaSets.subscribe({
        onAdd: enqueue,
        onUpdate: enqueue,
        onDelete: ({ metadata }) => this.#expectations.forget(metadata.uid),
      }),
      pods.subscribe({
        onAdd: (pod) => this.#sawPod(pod),
        onUpdate: (pod, old) => {
          if (controllerOf(old)?.uid !== controllerOf(pod)?.uid) this.#enqueueOwnerOf(old);
          this.#sawPod(pod);
        },
        onDelete: (pod) => {
          this.#expectations.sawPodGone(controllerOf(pod)?.uid ?? '', pod);
          this.#enqueueOwnerOf(pod);
        },
      }),
    ];
  }

  async close(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await this.#queue.close();
  }

  #sawPod(pod: Pod): void {
    this.#expectations.sawPod(controllerOf(pod)?.uid ?? '', pod);
    this.#enqueueOwnerOf(pod);
  }

  /** The ReplicaSet that manages it, or, for an orphan, every one that may adopt it. */
  #enqueueOwnerOf(pod: Pod): void {
    const owner = controllerOf(pod);
    const namespace = pod.metadata.namespace ?? '';
    if (owner !== undefined) {
      if (owner.kind === replicaSetKind.kind) this.#queue.add(`${namespace}/${owner.name}`);
      return;
    }
    for (const replicaSet of this.#context.informers.of(replicaSetKind).byIndex('namespace', namespace)) {
      if (claim(replicaSet, replicaSet.spec.selector, [pod]).adopt.length > 0) this.#queue.add(objectKey(replicaSet));
    }
  }

  async #work(key: string): Promise<WorkResult> {
    const { client, clock, informers, random, log } = this.#context;
    const replicaSet = informers.of(replicaSetKind).get(key);
    if (replicaSet === undefined) return undefined;
    const pods = informers.of(podKind);
    // Asked before the cache is read: an event that comes in between brings the key back.
    const isCurrent = this.#expectations.areMet(replicaSet.metadata.uid);
    const candidates = pods.byIndex('namespace', replicaSet.metadata.namespace ?? '');
    // Pods that have ended are not worth adopting; those that are owned are looked at whatever they are.
    const claimable = candidates.filter((pod) => isActive(pod) || controllerOf(pod) !== undefined);
    const claims = claim(replicaSet, replicaSet.spec.selector, claimable);
    if (await settleOwnership(client, { owner: replicaSet, ownerKind: replicaSetKind, kind: podKind, claims })) {
      return undefined;
    }
    const related = this.#relatedTo(replicaSet);
    const plan = decideReplicaSet({ replicaSet, pods: claims.owned, related, isCurrent }, clock.now(), random);
    log.trace({ key, reason: plan.reason }, 'replicaset: decided');
    const failure = await this.#execute(replicaSet, plan);
    await this.#writeStatus(replicaSet, claims.owned.filter(isActive), failure?.told);
    if (failure !== undefined) throw failure.error;
    return plan.requeueAfterMs === undefined ? undefined : { requeueAfterMs: plan.requeueAfterMs };
  }

  /** Active pods of all ReplicaSets of one owner: while a Deployment rolls, both versions crowd a node. */
  #relatedTo(replicaSet: ReplicaSet): readonly Pod[] {
    const { informers } = this.#context;
    const owner = controllerOf(replicaSet);
    const siblings = owner === undefined ? [replicaSet] : informers.of(replicaSetKind).byIndex('controller', owner.uid);
    return siblings.flatMap(({ metadata }) =>
      informers.of(podKind).byIndex('controller', metadata.uid).filter(isActive),
    );
  }

  async #execute(replicaSet: ReplicaSet, plan: ReplicaSetPlan): Promise<Failed | undefined> {
    const owner = replicaSet.metadata.uid;
    if (plan.creates.length > 0) {
      const names = plan.creates.map(({ metadata }) => metadata.name ?? '');
      this.#expectations.expectCreations(owner, names);
      const { failure, skipped } = await slowStart(plan.creates, (draft) => this.#create(replicaSet, draft));
      for (const { metadata } of skipped) this.#expectations.forgetCreation(owner, metadata.name ?? '');
      return failed('FailedCreate', failure);
    }
    this.#expectations.expectDeletions(
      owner,
      plan.deletes.map(({ metadata }) => metadata.uid),
    );
    const results = await Promise.allSettled(plan.deletes.map((pod) => this.#delete(replicaSet, pod)));
    return failed('FailedDelete', results.find((result) => result.status === 'rejected')?.reason);
  }

  async #create(replicaSet: ReplicaSet, draft: Draft<Pod>): Promise<void> {
    const name = draft.metadata.name ?? '';
    try {
      await this.#context.client.create(podKind, draft);
    } catch (error) {
      // After a time-out or a broken connection the pod may be there: its event, or time, will tell.
      if (wasRefused(error)) this.#expectations.forgetCreation(replicaSet.metadata.uid, name);
      if (this.#isEnding(replicaSet.metadata.namespace ?? '')) return;
      this.#tell(replicaSet, { type: 'Warning', reason: 'FailedCreate', message: `Error creating: ${textOf(error)}` });
      throw error;
    }
    this.#tell(replicaSet, { type: 'Normal', reason: 'SuccessfulCreate', message: `Created pod: ${name}` });
  }

  /** Nothing new comes into a namespace that ends, and this ReplicaSet ends with it: no failure to tell of. */
  #isEnding(namespace: string): boolean {
    return this.#context.informers.of(namespaceKind).get(namespace)?.metadata.deletionTimestamp !== undefined;
  }

  async #delete(replicaSet: ReplicaSet, pod: Pod): Promise<void> {
    const { uid, name } = pod.metadata;
    try {
      await this.#context.client.delete(podKind, refOf(pod), { preconditions: { uid } });
    } catch (error) {
      if (wasRefused(error)) this.#expectations.forgetDeletion(replicaSet.metadata.uid, uid);
      // Gone already, or another has its name: it was to be gone, and is.
      if (hasCode(error, 404) || hasCode(error, 409)) return;
      this.#tell(replicaSet, { type: 'Warning', reason: 'FailedDelete', message: `Error deleting: ${textOf(error)}` });
      throw error;
    }
    this.#tell(replicaSet, { type: 'Normal', reason: 'SuccessfulDelete', message: `Deleted pod: ${name}` });
  }

  async #writeStatus(replicaSet: ReplicaSet, active: readonly Pod[], failure: Failure | undefined): Promise<void> {
    const { client, clock } = this.#context;
    const nowMs = clock.now();
    const status = observedStatus({ replicaSet, active, failure, nowMs, now: timestamp(nowMs) });
    if (isDeepStrictEqual(status, replicaSet.status)) return;
    await client.updateStatus(replicaSetKind, { ...replicaSet, status });
  }

  #tell(replicaSet: ReplicaSet, occurrence: Occurrence): void {
    this.#context.recorder.record({ component: COMPONENT }, replicaSetKind, replicaSet, occurrence);
  }
}

interface Failed {
  readonly told: Failure;
  readonly error: unknown;
}

function failed(reason: Failure['reason'], error: unknown): Failed | undefined {
  return error === undefined ? undefined : { told: { reason, message: textOf(error) }, error };
}

/** Whether the server said no, so that nothing was done. */
function wasRefused(error: unknown): boolean {
  return error instanceof ApiError && error.code < 500;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
