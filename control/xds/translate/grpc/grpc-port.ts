import { isGrpcPort } from '../../../../api/kinds/grpc-port.ts';
import type { Pod } from '../../../../api/kinds/pod.ts';
import type { Service, ServicePort } from '../../../../api/kinds/service.ts';

/**
 * The container port of a pod that gRPC's clients reach; undefined where no Service with a gRPC port selects it. There is one: a client's TLS
 * server name is the host of its target (gRFC A29), whichever Service a route leads it to, and so says nothing of ports. Of several the
 * lowest. By selectors, not by endpoints: a pod's sidecar knows it before the first client can come.
 */
export function grpcPortOf(pod: Pod, services: readonly Service[]): number | undefined {
  const labels = pod.metadata.labels ?? {};
  const selecting = services.filter(({ metadata, spec }) => {
    const selector = Object.entries(spec.selector ?? {});
    const selects = selector.length > 0 && selector.every(([key, value]) => labels[key] === value);
    return selects && metadata.namespace === pod.metadata.namespace;
  });
  const ports = selecting.flatMap(({ spec }) => (spec.ports ?? []).filter(isGrpcPort));
  const found = ports.flatMap((port) => containerPortOf(port, pod) ?? []);
  return found.length === 0 ? undefined : Math.min(...found);
}

function containerPortOf({ port, targetPort }: ServicePort, { spec }: Pod): number | undefined {
  if (typeof targetPort !== 'string') return targetPort ?? port;
  return spec.containers.flatMap(({ ports = [] }) => ports).find(({ name }) => name === targetPort)?.containerPort;
}
