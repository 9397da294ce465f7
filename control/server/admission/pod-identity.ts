import type { KubeObject } from '../../../api/kinds/kind.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import type { AdmissionRequest } from './admission.ts';
import { withPriority } from './pod-priority.ts';
import { qosClass } from './pod-qos.ts';

/** Gives a new pod the identity that it runs under when it names none, its priority, and the class of its resources. */
export function admitPod(request: AdmissionRequest): KubeObject {
  const { kind, object, old } = request as AdmissionRequest<Pod>;
  if (kind.group !== '' || kind.kind !== 'Pod' || old !== undefined) return object;
  const account = object.spec.serviceAccountName || object.spec.serviceAccount || 'default';
  const admitted: Pod = {
    ...object,
    spec: withGrace({ ...withPriority(kind, object), serviceAccountName: account, serviceAccount: account }),
    status: withGates({ ...object.status, qosClass: qosClass(object.spec) }, object),
  };
  return admitted;
}

/** No time at all would leave nobody to see the end: below 0 is a second (podStrategy.PrepareForCreate). */
function withGrace(spec: Pod['spec']): Pod['spec'] {
  return spec.terminationGracePeriodSeconds < 0 ? { ...spec, terminationGracePeriodSeconds: 1 } : spec;
}

/** Says from the start why the scheduler leaves it alone (applySchedulingGatedCondition). */
function withGates(status: Pod['status'], { spec, metadata }: Pod): Pod['status'] {
  if ((spec.schedulingGates ?? []).length === 0) return status;
  const condition = {
    type: 'PodScheduled',
    status: 'False' as const,
    reason: 'SchedulingGated',
    message: 'Scheduling is blocked due to non-empty scheduling gates',
    lastTransitionTime: metadata.creationTimestamp,
  };
  return { ...status, conditions: [condition] };
}
