import type { Deployment } from '../../../api/kinds/deployment.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import { controllerOf } from '../owner.ts';
import { isTerminal } from '../pod-state.ts';
import { active, actual } from './counts.ts';
import type { Generations } from './generations.ts';
import type { Scale } from './rolling.ts';

/** What Recreate does next (recreate.go): first all old pods go, then the new ones come. */
export type RecreateStep =
  | { readonly type: 'scale-down'; readonly scales: readonly Scale[] }
  | { readonly type: 'wait'; readonly reason: string }
  | { readonly type: 'scale-up' };

export function recreateStep(generations: Generations, pods: readonly Pod[]): RecreateStep {
  const running = active(generations.old);
  if (running.length > 0) return { type: 'scale-down', scales: running.map((replicaSet) => ({ replicaSet, to: 0 })) };
  if (actual(generations.old) > 0 || pods.some((pod) => !isTerminal(pod) && !isOfPresent(pod, generations))) {
    return { type: 'wait', reason: 'old pods are still running' };
  }
  return { type: 'scale-up' };
}

/** The strategy's whole point is that two versions never run at once: a pod that is still ending counts. */
function isOfPresent(pod: Pod, { present }: Generations): boolean {
  return present !== undefined && controllerOf(pod)?.uid === present.metadata.uid;
}

export function recreateScaleUp({ spec }: Deployment, { present }: Generations): readonly Scale[] {
  return present === undefined ? [] : [{ replicaSet: present, to: spec.replicas }];
}
