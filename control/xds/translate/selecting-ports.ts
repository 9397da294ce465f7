import type { Pod } from '../../../api/kinds/pod.ts';
import type { Service, ServicePort } from '../../../api/kinds/service.ts';

/**
 * The container ports of a pod that such ports of Services lead to. By selectors, not by endpoints: a pod's sidecar knows them before the
 * first caller can come.
 */
export function selectedPorts(
  pod: Pod,
  services: readonly Service[],
  isWanted: (port: ServicePort, service: Service) => boolean,
): ReadonlySet<number> {
  const labels = pod.metadata.labels ?? {};
  const selecting = services.filter(({ metadata, spec }) => {
    const selector = Object.entries(spec.selector ?? {});
    const selects = selector.length > 0 && selector.every(([key, value]) => labels[key] === value);
    return selects && metadata.namespace === pod.metadata.namespace;
  });
  const ports = selecting.flatMap((service) => (service.spec.ports ?? []).filter((port) => isWanted(port, service)));
  return new Set(ports.flatMap((port) => containerPortOf(port, pod) ?? []));
}

function containerPortOf({ port, targetPort }: ServicePort, { spec }: Pod): number | undefined {
  if (typeof targetPort !== 'string') return targetPort ?? port;
  return spec.containers.flatMap(({ ports = [] }) => ports).find(({ name }) => name === targetPort)?.containerPort;
}
