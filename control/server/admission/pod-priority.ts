import type { Pod } from '../../../api/kinds/pod.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import type { AdmissionRequest } from './admission.ts';

type Spec = Pod['spec'];

/** What Kubernetes itself brings (scheduling.SystemPriorityClasses). There is no PriorityClass of anyone else: all others count 0. */
const SYSTEM_PRIORITIES: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
};

/**
 * The pod's spec with the priority that its class gives (plugin/pkg/admission/priority), and refuses what only the server sets: a
 * priority, a way to preempt, the overhead of a runtime.
 */
export function withPriority(kind: AdmissionRequest['kind'], { metadata, spec }: Pod): Spec {
  const refuse = (why: string): ApiError => ApiError.forbidden(kind, metadata.name, why);
  const priority = SYSTEM_PRIORITIES[spec.priorityClassName ?? ''] ?? 0;
  const preemptionPolicy = 'PreemptLowerPriority';
  const computed = 'must not be provided in pod spec; priority admission controller computed';
  if (spec.priority !== undefined && spec.priority !== priority) {
    throw refuse(
      `the integer value of priority (${spec.priority}) ${computed} ${priority} from the given PriorityClass name`,
    );
  }
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemptionPolicy) {
    throw refuse(
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) ${computed} ${preemptionPolicy} from the given PriorityClass name`,
    );
  }
  if (Object.keys(spec.overhead ?? {}).length > 0)
    throw refuse('pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead');
  return { ...spec, priority, preemptionPolicy };
}
