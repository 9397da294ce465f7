import type { KubeObject } from '../../../api/kinds/kind.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import type { AdmissionRequest } from './admission.ts';
import { qosClass } from './pod-qos.ts';

/** Gives a new pod the identity that it runs under when it names none, and the class of its resources. */
export function admitPod(request: AdmissionRequest): KubeObject {
  const { kind, object, old } = request as AdmissionRequest<Pod>;
  if (kind.group !== '' || kind.kind !== 'Pod' || old !== undefined) return object;
  const account = object.spec.serviceAccountName || object.spec.serviceAccount || 'default';
  const admitted: Pod = {
    ...object,
    spec: { ...object.spec, serviceAccountName: account, serviceAccount: account },
    status: { ...object.status, qosClass: qosClass(object.spec) },
  };
  return admitted;
}
