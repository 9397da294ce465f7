import type { Deployment } from '../../api/kinds/deployment.ts';
import type { ReplicaSet } from '../../api/kinds/replica-set.ts';

// Kubernetes' names (k8s.io/kubectl/pkg/util/deployment).
const REVISION = 'deployment.kubernetes.io/revision';
const CHANGE_CAUSE = 'kubernetes.io/change-cause';
const TEMPLATE_HASH = 'pod-template-hash';

export interface Revision {
  readonly revision: number;
  readonly changeCause: string | undefined;
  readonly replicaSet: ReplicaSet;
}

/** The Deployment's revisions, oldest first: its ReplicaSets, as kubectl reads them. Pure. */
export function revisionsOf(deployment: Deployment, replicaSets: readonly ReplicaSet[]): Revision[] {
  return replicaSets
    .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === deployment.metadata.uid) === true)
    .map((replicaSet) => ({
      revision: Number(replicaSet.metadata.annotations?.[REVISION] ?? 0),
      changeCause: replicaSet.metadata.annotations?.[CHANGE_CAUSE],
      replicaSet,
    }))
    .filter(({ revision }) => revision > 0)
    .sort((one, other) => one.revision - other.revision);
}

/** The template that going back to a revision restores: the ReplicaSet's, without the label that its controller added. */
export function templateOf({ replicaSet }: Revision): unknown {
  const { template } = replicaSet.spec;
  const labels = Object.fromEntries(
    Object.entries(template?.metadata?.labels ?? {}).filter(([name]) => name !== TEMPLATE_HASH),
  );
  return { ...template, metadata: { ...template?.metadata, labels } };
}

/** The revision to go back to: the one asked for, or the one before the newest. Undefined when there is none. */
export function targetRevision(revisions: readonly Revision[], asked: number): Revision | undefined {
  return asked === 0 ? revisions.at(-2) : revisions.find(({ revision }) => revision === asked);
}
