import { isDeepStrictEqual } from 'node:util';
import type { Occurrence } from '../../../api/client/events/occurrence.ts';
import { objectKey } from '../../../api/client/informer.ts';
import { type Deployment, deploymentKind } from '../../../api/kinds/deployment.ts';
import { podKind } from '../../../api/kinds/pod.ts';
import { type ReplicaSet, replicaSetKind } from '../../../api/kinds/replica-set.ts';
import { ApiError, hasCode } from '../../../api/meta/api-error.ts';
import { timestamp } from '../../../kit/clock.ts';
import type { Workqueue, WorkResult } from '../../../kit/workqueue.ts';
import { settleOwnership } from '../adoption.ts';
import { type ControllerContext, type Running, refOf, startQueue } from '../controller.ts';
import { claim, controllerOf, isControlledBy } from '../owner.ts';
import { ReadYourWrites } from '../read-your-writes.ts';
import {
  afterCollision,
  afterCreate,
  afterRefusal,
  type CreateReplicaSet,
  type DeploymentPlan,
  decideDeployment,
} from './decide.ts';
import { REVISION } from './revision.ts';
import type { DeploymentStatus } from './status.ts';
import { sameTemplate } from './template-hash.ts';

const COMPONENT = 'deployment-controller';

/** Rolls Deployments: see decide.ts for what it does and why. */
export function startDeploymentController(context: ControllerContext): Running {
  const controller = new DeploymentController(context);
  return { close: () => controller.close() };
}

class DeploymentController implements Running {
  readonly #context: ControllerContext;
  readonly #queue: Workqueue;
  readonly #written = new ReadYourWrites();
  readonly #unsubscribe: readonly (() => void)[];

  constructor(context: ControllerContext) {
    this.#context = context;
    const { informers } = context;
    const [deployments, replicaSets, pods] = [
      informers.of(deploymentKind),
      informers.of(replicaSetKind),
      informers.of(podKind),
    ];
    this.#queue = startQueue(context, COMPONENT, (key) => this.#work(key));
    const enqueue = (deployment: Deployment): void => this.#queue.add(objectKey(deployment));
    this.#unsubscribe = [
      deployments.subscribe({
        onAdd: enqueue,
        onUpdate: enqueue,
        onDelete: ({ metadata }) => this.#written.forget(metadata.uid),
      }),
      replicaSets.subscribe({
        onAdd: (replicaSet) => this.#enqueueOwnerOf(replicaSet),
        onUpdate: (replicaSet, old) => {
          if (controllerOf(old)?.uid !== controllerOf(replicaSet)?.uid) this.#enqueueOwnerOf(old);
          this.#enqueueOwnerOf(replicaSet);
        },
        onDelete: (replicaSet) => {
          this.#written.forget(replicaSet.metadata.uid);
          this.#enqueueOwnerOf(replicaSet);
        },
      }),
      // The Recreate strategy waits for the last old pod to be gone; nothing else hangs on single pods.
      pods.subscribe({
        onDelete: ({ metadata }) => {
          const name = controllerOf({ metadata })?.name;
          const replicaSet = name === undefined ? undefined : replicaSets.get(`${metadata.namespace ?? ''}/${name}`);
          if (replicaSet !== undefined) this.#enqueueOwnerOf(replicaSet);
        },
      }),
    ];
  }

  async close(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await this.#queue.close();
  }

  /** The Deployment that manages it, or, for an orphan, every one that may adopt it. */
  #enqueueOwnerOf(replicaSet: ReplicaSet): void {
    const owner = controllerOf(replicaSet);
    const namespace = replicaSet.metadata.namespace ?? '';
    if (owner !== undefined) {
      if (owner.kind === deploymentKind.kind) this.#queue.add(`${namespace}/${owner.name}`);
      return;
    }
    for (const deployment of this.#context.informers.of(deploymentKind).byIndex('namespace', namespace)) {
      if (claim(deployment, deployment.spec.selector, [replicaSet]).adopt.length > 0) {
        this.#queue.add(objectKey(deployment));
      }
    }
  }

  async #work(key: string): Promise<WorkResult> {
    const { client, informers, clock, log } = this.#context;
    const deployment = informers.of(deploymentKind).get(key);
    if (deployment === undefined) return undefined;
    const candidates = informers.of(replicaSetKind).byIndex('namespace', deployment.metadata.namespace ?? '');
    const claims = claim(deployment, deployment.spec.selector, candidates);
    if (await settleOwnership(client, { owner: deployment, ownerKind: deploymentKind, kind: replicaSetKind, claims })) {
      return undefined;
    }
    // What was written will come back as an event, which brings this key back.
    if (![deployment, ...claims.owned].every((object) => this.#written.isCurrent(object))) return undefined;
    const pods = claims.owned.flatMap(({ metadata }) => informers.of(podKind).byIndex('controller', metadata.uid));
    const nowMs = clock.now();
    const plan = decideDeployment({ deployment, replicaSets: claims.owned, pods }, nowMs, timestamp(nowMs));
    log.trace({ key, plan }, 'deployment: decided');
    await this.#execute(deployment, plan);
    return plan.requeueAfterMs === undefined ? undefined : { requeueAfterMs: plan.requeueAfterMs };
  }

  async #execute(deployment: Deployment, plan: DeploymentPlan): Promise<void> {
    const { client } = this.#context;
    for (const event of plan.events) this.#tell(deployment, event);
    let { status } = plan;
    if (plan.create !== undefined) {
      const created = await this.#create(deployment, plan.create);
      if (created === 'collision') return await this.#writeStatus(deployment, afterCollision(deployment));
      const { name = '' } = plan.create.draft.metadata;
      if (created === 'created') status = afterCreate(plan, deployment, name, timestamp(this.#context.clock.now()));
    }
    for (const { replicaSet, event } of plan.updates) {
      this.#written.wrote(await client.update(replicaSetKind, replicaSet));
      if (event !== undefined) this.#tell(deployment, event);
    }
    for (const replicaSet of plan.deletes) await this.#delete(replicaSet);
    const noted = plan.revision === undefined ? deployment : await this.#writeRevision(deployment, plan.revision);
    if (!isDeepStrictEqual(status, deployment.status)) await this.#writeStatus(noted, status);
  }

  async #create(
    deployment: Deployment,
    { draft, event }: CreateReplicaSet,
  ): Promise<'created' | 'exists' | 'collision'> {
    const { client, clock } = this.#context;
    try {
      await client.create(replicaSetKind, draft);
    } catch (error) {
      if (hasCode(error, 409)) return await this.#tellCollision(deployment, draft.metadata.name ?? '');
      if (error instanceof ApiError && error.code !== 403) {
        const message = `Failed to create new replica set "${draft.metadata.name ?? ''}": ${error.message}`;
        this.#tell(deployment, { type: 'Warning', reason: 'ReplicaSetCreateError', message });
        await this.#writeStatus(deployment, afterRefusal(deployment, message, timestamp(clock.now())));
      }
      throw error;
    }
    if (event !== undefined) this.#tell(deployment, event);
    return 'created';
  }

  /** The name is taken: by what this controller made before (its cache is behind), or by another template. */
  async #tellCollision(deployment: Deployment, name: string): Promise<'exists' | 'collision'> {
    const namespace = deployment.metadata.namespace ?? '';
    const present = await this.#context.client.get(replicaSetKind, { namespace, name });
    const isOurs = isControlledBy(present, deployment);
    return isOurs && sameTemplate(present.spec.template, deployment.spec.template) ? 'exists' : 'collision';
  }

  async #delete(replicaSet: ReplicaSet): Promise<void> {
    const { uid, resourceVersion } = replicaSet.metadata;
    try {
      await this.#context.client.delete(replicaSetKind, refOf(replicaSet), { preconditions: { uid, resourceVersion } });
    } catch (error) {
      if (!hasCode(error, 404)) throw error;
    }
  }

  async #writeRevision(deployment: Deployment, revision: string): Promise<Deployment> {
    const { uid, resourceVersion } = deployment.metadata;
    const patch = { metadata: { uid, resourceVersion, annotations: { [REVISION]: revision } } };
    const written = await this.#context.client.patch(deploymentKind, refOf(deployment), patch, { type: 'merge' });
    this.#written.wrote(written);
    return written;
  }

  async #writeStatus(deployment: Deployment, status: DeploymentStatus): Promise<void> {
    if (isDeepStrictEqual(status, deployment.status)) return;
    this.#written.wrote(await this.#context.client.updateStatus(deploymentKind, { ...deployment, status }));
  }

  #tell(deployment: Deployment, occurrence: Occurrence): void {
    this.#context.recorder.record({ component: COMPONENT }, deploymentKind, deployment, occurrence);
  }
}
