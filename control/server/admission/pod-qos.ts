import type { Pod } from '../../../api/kinds/pod.ts';
import { quantityValue } from '../../../api/meta/quantity.ts';

type Container = Pod['spec']['containers'][number];

const COMPUTE = ['cpu', 'memory'] as const;

/** ComputePodQOS in k8s.io/kubernetes/pkg/apis/core/helper/qos: of limits and requests of cpu and memory. */
export function qosClass(spec: Pod['spec']): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  if (!containers.some(asksForAnything)) return 'BestEffort';
  return containers.every(isGuaranteed) ? 'Guaranteed' : 'Burstable';
}

function asksForAnything({ resources: { requests = {}, limits = {} } }: Container): boolean {
  return COMPUTE.some((name) => amount(requests[name]) > 0 || amount(limits[name]) > 0);
}

function isGuaranteed({ resources: { requests = {}, limits = {} } }: Container): boolean {
  return COMPUTE.every((name) => amount(limits[name]) > 0 && (requests[name] ?? limits[name]) === limits[name]);
}

/** Above 0 for any positive quantity, because values are rounded up. */
function amount(quantity: string | undefined): number {
  return quantity === undefined ? 0 : quantityValue(quantity);
}
