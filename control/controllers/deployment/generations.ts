import type { Deployment } from '../../../api/kinds/deployment.ts';
import type { ReplicaSet } from '../../../api/kinds/replica-set.ts';
import { byAge } from './counts.ts';
import { sameTemplate } from './template-hash.ts';

/** A Deployment's ReplicaSets: the one of the present template, and all others. */
export interface Generations<Present extends ReplicaSet | undefined = ReplicaSet | undefined> {
  readonly present: Present;
  readonly old: readonly ReplicaSet[];
}

/** The oldest that has the Deployment's template is the present one (deploymentutil.FindNewReplicaSet). */
export function tellGenerations(deployment: Deployment, replicaSets: readonly ReplicaSet[]): Generations {
  const sorted = [...replicaSets].sort(byAge);
  const present = sorted.find(({ spec }) => sameTemplate(spec.template, deployment.spec.template));
  return { present, old: sorted.filter((replicaSet) => replicaSet !== present) };
}

export function everyone({ present, old }: Generations): readonly ReplicaSet[] {
  return present === undefined ? old : [...old, present];
}
