import type { Deployment } from '../../../api/kinds/deployment.ts';
import type { ReplicaSet } from '../../../api/kinds/replica-set.ts';
import { fenceposts } from './fenceposts.ts';

/* Annotations by which kubectl reads a Deployment's history (pkg/controller/deployment/util/deployment_util.go). */

export const REVISION = 'deployment.kubernetes.io/revision';
const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';

const NOT_COPIED = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  'deprecated.deployment.rollback.to',
]);

/** maxRevHistoryLengthInChars: the oldest revisions drop out of a longer history. */
const REVISION_HISTORY_MAX_CHARS = 2000;

type Annotations = Readonly<Record<string, string>>;

/** 0 when it has none. */
export function revisionOf({ metadata }: ReplicaSet): number {
  const revision = Number(metadata.annotations?.[REVISION] ?? 0);
  return Number.isSafeInteger(revision) ? revision : 0;
}

export function newestRevision(replicaSets: readonly ReplicaSet[]): number {
  return Math.max(0, ...replicaSets.map(revisionOf));
}

/**
 * The annotations of a Deployment's present ReplicaSet: the Deployment's own (kubernetes.io/change-cause among them), and
 * a revision above all others. A ReplicaSet that comes back by undo remembers the revisions that it had.
 */
export function newReplicaSetAnnotations(deployment: Deployment, present: Annotations, revision: number): Annotations {
  const copied = Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => !NOT_COPIED.has(key));
  const annotations: Record<string, string> = { ...present, ...Object.fromEntries(copied) };
  const old = present[REVISION];
  if (old !== undefined && Number(old) >= revision) return annotations;
  annotations[REVISION] = String(revision);
  if (old !== undefined) annotations[REVISION_HISTORY] = extendHistory(present[REVISION_HISTORY] ?? '', old);
  return annotations;
}

/** What every scaling writes, so that a later change of the Deployment's size is told from a rollout. */
export function replicaAnnotations(deployment: Deployment): Annotations {
  const { replicas } = deployment.spec;
  return {
    [DESIRED_REPLICAS]: String(replicas),
    [MAX_REPLICAS]: String(replicas + fenceposts(deployment).maxSurge),
  };
}

/** The number in a replica annotation, or undefined when somebody took it away. */
export function annotatedReplicas({ metadata }: ReplicaSet, key: string): number | undefined {
  const text = metadata.annotations?.[key];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

function extendHistory(history: string, revision: string): string {
  const revisions = history === '' ? [] : history.split(',');
  revisions.push(revision);
  while (revisions.length > 1 && revisions.join(',').length > REVISION_HISTORY_MAX_CHARS) revisions.shift();
  return revisions.join(',');
}
