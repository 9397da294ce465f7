import type { Endpoint, EndpointPort, EndpointSlice } from '../../../api/kinds/endpoint-slice.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import type { Service, ServicePort } from '../../../api/kinds/service.ts';
import { isReady, isTerminal } from '../pod-state.ts';

export type AddressType = EndpointSlice['addressType'];

/** Whether a pod that the Service selects is one of its endpoints: it has an address and has not ended for good. */
export function isEndpoint(pod: Pod, addressType: AddressType): boolean {
  return !isTerminal(pod) && addressesOf(pod, addressType).length > 0;
}

/** podToEndpoint in k8s.io/endpointslice/utils.go. `zone` is that of the pod's node. */
export function endpointOf(
  pod: Pod,
  service: Service,
  { addressType, zone }: { readonly addressType: AddressType; readonly zone: string | undefined },
): Endpoint {
  const { metadata, spec } = pod;
  const serving = isReady(pod);
  const terminating = metadata.deletionTimestamp !== undefined;
  // A pod on its way out is never ready, so that nothing new goes there, unless the Service asks for all.
  const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating);
  const hasName = Boolean(spec.hostname) && spec.subdomain === service.metadata.name;
  return {
    addresses: addressesOf(pod, addressType),
    conditions: { ready, serving, terminating },
    ...(hasName ? { hostname: spec.hostname } : {}),
    targetRef: { kind: 'Pod', namespace: metadata.namespace ?? '', name: metadata.name, uid: metadata.uid },
    ...(spec.nodeName ? { nodeName: spec.nodeName } : {}),
    ...(zone === undefined ? {} : { zone }),
  };
}

/** The Service's ports as this pod has them; one that the pod does not have is left out (getEndpointPorts). */
export function portsOf(pod: Pod, service: Service): readonly EndpointPort[] {
  return (service.spec.ports ?? []).flatMap((servicePort) => {
    const port = findPort(pod, servicePort);
    if (port === undefined) return [];
    const { name = '', protocol, appProtocol } = servicePort;
    return [{ name, protocol, port, ...(appProtocol === undefined ? {} : { appProtocol }) }];
  });
}

/** targetPort by number, or by the name of a container's port of the same protocol, sidecars included (FindPort). */
function findPort({ spec }: Pod, { targetPort, port, protocol }: ServicePort): number | undefined {
  if (typeof targetPort !== 'string') return targetPort ?? port;
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  const ports = [...spec.containers, ...sidecars].flatMap((container) => container.ports ?? []);
  return ports.find((each) => each.name === targetPort && each.protocol === protocol)?.containerPort;
}

function addressesOf({ status }: Pod, addressType: AddressType): string[] {
  const all = status.podIPs?.map(({ ip }) => ip) ?? (status.podIP ? [status.podIP] : []);
  return all.filter((ip) => ip.includes(':') === (addressType === 'IPv6'));
}
