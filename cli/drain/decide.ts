import type { Pod } from '../../api/kinds/pod.ts';

export interface DrainFlags {
  /** Also pods that nobody makes anew. */
  readonly force: boolean;
  /** Also pods whose emptyDir volumes are lost with them. */
  readonly deleteEmptyDirData: boolean;
}

export interface DrainPlan {
  readonly evict: readonly Pod[];
  /** Why not: pods that would be lost, or lose something, by a flag that was not given. */
  readonly refused: readonly string[];
}

/** k8s.io/kubectl/pkg/drain/filters.go, without DaemonSets and mirror pods, which there are none of. */
export function decideDrain(pods: readonly Pod[], { force, deleteEmptyDirData }: DrainFlags): DrainPlan {
  const going = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const refused = going.flatMap((pod) => {
    if (pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed') return [];
    const name = `${pod.metadata.namespace ?? ''}/${pod.metadata.name}`;
    const isManaged = pod.metadata.ownerReferences?.some(({ controller }) => controller === true) === true;
    const hasData = (pod.spec.volumes ?? []).some(({ emptyDir }) => emptyDir !== undefined);
    return [
      ...(isManaged || force ? [] : [`pod ${name}: nobody makes it anew; --force deletes it`]),
      ...(hasData && !deleteEmptyDirData
        ? [`pod ${name}: has emptyDir volumes; --delete-emptydir-data deletes them`]
        : []),
    ];
  });
  return { evict: refused.length === 0 ? going : [], refused };
}
