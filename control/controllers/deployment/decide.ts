import type { Draft } from '../../../api/client/client.ts';
import type { Occurrence } from '../../../api/client/events/occurrence.ts';
import { type Deployment, type DeploymentCondition, deploymentKind } from '../../../api/kinds/deployment.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import type { ReplicaSet } from '../../../api/kinds/replica-set.ts';
import { findCondition } from '../../../api/meta/condition.ts';
import { controllerReference } from '../owner.ts';
import { hasDeadline, withCondition, withPauseNoted } from './conditions.ts';
import { type Generations, tellGenerations } from './generations.ts';
import { beyondHistory } from './history.ts';
import { deadlineInMs, rolloutStatus } from './progress.ts';
import { resize, sizeChanged } from './proportion.ts';
import { recreateScaleUp, recreateStep } from './recreate.ts';
import { newestRevision, newReplicaSetAnnotations, REVISION, replicaAnnotations } from './revision.ts';
import { newReplicaSetSize, rollingStep, type Scale } from './rolling.ts';
import { type DeploymentStatus, isComplete, measuredStatus } from './status.ts';
import { POD_TEMPLATE_HASH, templateHash } from './template-hash.ts';

export interface DeploymentSnapshot {
  readonly deployment: Deployment;
  /** The ReplicaSets that it manages. */
  readonly replicaSets: readonly ReplicaSet[];
  /** The pods of these ReplicaSets. */
  readonly pods: readonly Pod[];
}

/** What to do now, in the order of the fields. An empty plan with an unchanged status is a Deployment at rest. */
export interface DeploymentPlan {
  /** The ReplicaSet of a template that has none yet. Its name is taken: see {@link afterCollision}. */
  readonly create: CreateReplicaSet | undefined;
  /** Whole new forms of ReplicaSets, at the revision that they were decided from. */
  readonly updates: readonly UpdateReplicaSet[];
  readonly deletes: readonly ReplicaSet[];
  /** The Deployment's revision annotation, where it is to change. */
  readonly revision: string | undefined;
  readonly status: DeploymentStatus;
  /** When no event would tell that it is time to look again. */
  readonly requeueAfterMs: number | undefined;
  readonly events: readonly Occurrence[];
}

export interface CreateReplicaSet {
  readonly draft: Draft<ReplicaSet>;
  readonly event: Occurrence | undefined;
}

interface UpdateReplicaSet {
  readonly replicaSet: ReplicaSet;
  readonly event: Occurrence | undefined;
}

/**
 * What the Deployment controller does next (syncDeployment in deployment_controller.go). One step at a time: what it
 * writes comes back as events, and those as the next snapshot.
 */
export function decideDeployment(snapshot: DeploymentSnapshot, nowMs: number, now: string): DeploymentPlan {
  const { deployment } = snapshot;
  if (selectsEverything(deployment)) return refuseToSelectAll(deployment);
  const generations = tellGenerations(deployment, snapshot.replicaSets);
  const conditions = withPauseNoted(deployment, now);
  const input = { deployment, generations, conditions, now };
  if (deployment.metadata.deletionTimestamp !== undefined) return { ...NOTHING, status: measuredStatus(input) };
  const synced = withPresentSynced(deployment, generations);
  const found = withFoundNoted(deployment, synced, conditions, now);
  const changes = changesOf({ ...snapshot, generations: synced });
  const isRollout = deployment.spec.paused !== true && !sizeChanged(deployment, synced);
  const statusInput = { ...input, generations: synced, conditions: changes.create === undefined ? found : conditions };
  const status = isRollout ? rolloutStatus(statusInput, nowMs) : measuredStatus(statusInput);
  return {
    ...NOTHING,
    create: changes.create,
    updates: updatesOf(deployment, generations, { generations: synced, scales: changes.scales }),
    deletes: beyondWhenSettled(deployment, synced),
    revision: revisionToWrite(deployment, synced, changes.create),
    status,
    requeueAfterMs: deadlineInMs(deployment, status, nowMs),
  };
}

/** The status after the ReplicaSet was made. */
export function afterCreate(plan: DeploymentPlan, deployment: Deployment, name: string, now: string): DeploymentStatus {
  if (!hasDeadline(deployment)) return plan.status;
  const message = `Created new replica set "${name}"`;
  const verdict = { type: 'Progressing', status: 'True', reason: 'NewReplicaSetCreated', message } as const;
  return { ...plan.status, conditions: [...withCondition(plan.status.conditions ?? [], verdict, now)] };
}

/** The status when another template has the name: the next hash will be another. */
export function afterCollision({ status }: Deployment): DeploymentStatus {
  return { ...status, collisionCount: (status.collisionCount ?? 0) + 1 };
}

/** The status when the ReplicaSet was refused. */
export function afterRefusal(deployment: Deployment, message: string, now: string): DeploymentStatus {
  if (!hasDeadline(deployment)) return deployment.status;
  const verdict = { type: 'Progressing', status: 'False', reason: 'ReplicaSetCreateError', message } as const;
  return { ...deployment.status, conditions: [...withCondition(deployment.status.conditions ?? [], verdict, now)] };
}

const NOTHING = {
  create: undefined,
  updates: [],
  deletes: [],
  revision: undefined,
  requeueAfterMs: undefined,
  events: [],
} as const;

interface Changes {
  readonly create: CreateReplicaSet | undefined;
  readonly scales: readonly Scale[];
}

function changesOf({ deployment, pods, generations }: DeploymentSnapshot & { generations: Generations }): Changes {
  if (deployment.spec.paused === true || sizeChanged(deployment, generations)) {
    return { create: undefined, scales: resize(deployment, generations) };
  }
  const { present, old } = generations;
  switch (deployment.spec.strategy.type) {
    case 'RollingUpdate':
      return present === undefined
        ? { create: newReplicaSet(deployment, old), scales: [] }
        : { create: undefined, scales: rollingStep(deployment, { present, old }) };
    case 'Recreate': {
      const step = recreateStep(generations, pods);
      if (step.type === 'scale-down') return { create: undefined, scales: step.scales };
      if (step.type === 'wait') return { create: undefined, scales: [] };
      return present === undefined
        ? { create: newReplicaSet(deployment, old), scales: [] }
        : { create: undefined, scales: recreateScaleUp(deployment, generations) };
    }
    default:
      return deployment.spec.strategy.type satisfies never;
  }
}

/** The ReplicaSet of the present template, with the whole size when nothing is in its way (getNewReplicaSet in sync.go). */
function newReplicaSet(deployment: Deployment, old: readonly ReplicaSet[]): CreateReplicaSet {
  const { template, selector, minReadySeconds } = deployment.spec;
  const hash = templateHash(template, deployment.status.collisionCount);
  const labels = { ...template.metadata.labels, [POD_TEMPLATE_HASH]: hash };
  const replicas = newReplicaSetSize(deployment, old, 0);
  const name = `${deployment.metadata.name}-${hash}`;
  const annotations = newReplicaSetAnnotations(deployment, {}, newestRevision(old) + 1);
  return {
    draft: {
      metadata: {
        name,
        namespace: deployment.metadata.namespace ?? '',
        labels,
        annotations: { ...annotations, ...replicaAnnotations(deployment) },
        ownerReferences: [controllerReference(deploymentKind, deployment)],
      },
      spec: {
        replicas,
        ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
        selector: { ...selector, matchLabels: { ...selector.matchLabels, [POD_TEMPLATE_HASH]: hash } },
        template: { ...template, metadata: { ...template.metadata, labels } },
      },
      status: { replicas: 0 },
    },
    event: replicas > 0 ? scaledEvent(name, 0, replicas) : undefined,
  };
}

/** The present ReplicaSet with annotations and minReadySeconds as the Deployment has them. */
function withPresentSynced(deployment: Deployment, generations: Generations): Generations {
  const { present, old } = generations;
  if (present === undefined) return generations;
  const before = present.metadata.annotations ?? {};
  const annotations = newReplicaSetAnnotations(deployment, before, newestRevision(old) + 1);
  const { minReadySeconds: _, ...spec } = present.spec;
  const { minReadySeconds } = deployment.spec;
  return {
    old,
    present: {
      ...present,
      metadata: { ...present.metadata, annotations },
      spec: { ...spec, ...(minReadySeconds === undefined ? {} : { minReadySeconds }) },
    },
  };
}

/** Somebody may have made the ReplicaSet before the Deployment: progress counts from when it was found. */
function withFoundNoted(
  deployment: Deployment,
  { present }: Generations,
  conditions: readonly DeploymentCondition[],
  now: string,
): readonly DeploymentCondition[] {
  if (present === undefined || !hasDeadline(deployment) || findCondition(conditions, 'Progressing') !== undefined) {
    return conditions;
  }
  const message = `Found new replica set "${present.metadata.name}"`;
  return withCondition(conditions, { type: 'Progressing', status: 'True', reason: 'FoundNewReplicaSet', message }, now);
}

interface Decided {
  readonly generations: Generations;
  readonly scales: readonly Scale[];
}

/** Annotations and sizes of each ReplicaSet as one write, so that none is written twice in a step. */
function updatesOf(deployment: Deployment, before: Generations, decided: Decided): readonly UpdateReplicaSet[] {
  const { present } = decided.generations;
  const sizes = new Map(decided.scales.map(({ replicaSet, to }) => [replicaSet.metadata.uid, to]));
  const all = [...decided.generations.old, ...(present === undefined ? [] : [present])];
  const stored = new Map([...before.old, ...(before.present === undefined ? [] : [before.present])].map(byUid));
  return all.flatMap((replicaSet) => {
    const size = sizes.get(replicaSet.metadata.uid);
    const next = size === undefined ? replicaSet : scaled(deployment, replicaSet, size);
    const was = stored.get(replicaSet.metadata.uid);
    if (was === undefined || isUnchanged(was, next)) return [];
    const event =
      was.spec.replicas === next.spec.replicas
        ? undefined
        : scaledEvent(was.metadata.name, was.spec.replicas, next.spec.replicas);
    return [{ replicaSet: next, event }];
  });
}

function byUid(replicaSet: ReplicaSet): [string, ReplicaSet] {
  return [replicaSet.metadata.uid, replicaSet];
}

function scaled(deployment: Deployment, replicaSet: ReplicaSet, replicas: number): ReplicaSet {
  const annotations = { ...replicaSet.metadata.annotations, ...replicaAnnotations(deployment) };
  return {
    ...replicaSet,
    metadata: { ...replicaSet.metadata, annotations },
    spec: { ...replicaSet.spec, replicas },
  };
}

function isUnchanged(before: ReplicaSet, after: ReplicaSet): boolean {
  const [left, right] = [before.metadata.annotations ?? {}, after.metadata.annotations ?? {}];
  const keys = Object.keys(right);
  return (
    before.spec.replicas === after.spec.replicas &&
    before.spec.minReadySeconds === after.spec.minReadySeconds &&
    keys.length === Object.keys(left).length &&
    keys.every((key) => left[key] === right[key])
  );
}

/** While a rollout runs, old ReplicaSets are the way back: history is cut when it is done, or paused. */
function beyondWhenSettled(deployment: Deployment, { old }: Generations): readonly ReplicaSet[] {
  const isSettled = deployment.spec.paused === true || isComplete(deployment, deployment.status);
  return isSettled ? beyondHistory(deployment, old) : [];
}

function revisionToWrite(
  deployment: Deployment,
  { present }: Generations,
  create: CreateReplicaSet | undefined,
): string | undefined {
  const revision = (present ?? create?.draft)?.metadata.annotations?.[REVISION];
  return revision === deployment.metadata.annotations?.[REVISION] ? undefined : revision;
}

function selectsEverything({ spec: { selector } }: Deployment): boolean {
  return Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0;
}

function refuseToSelectAll(deployment: Deployment): DeploymentPlan {
  const message = 'This deployment is selecting all pods. A non-empty selector is required.';
  return {
    ...NOTHING,
    status: { ...deployment.status, observedGeneration: deployment.metadata.generation ?? 0 },
    events: [{ type: 'Warning', reason: 'SelectingAll', message }],
  };
}

/** The words that kubectl describe shows (scaleReplicaSet in sync.go). */
function scaledEvent(name: string, from: number, to: number): Occurrence {
  const direction = to > from ? 'up' : 'down';
  return {
    type: 'Normal',
    reason: 'ScalingReplicaSet',
    message: `Scaled ${direction} replica set ${name} from ${from} to ${to}`,
  };
}
