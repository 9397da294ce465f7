import type { Service, ServicePort } from '../../api/kinds/service.ts';
import { OUTBOUND_PORTS } from '../../api/meta/well-known.ts';

/** Where a container reaches a Service: through its sidecar on the pod's address, or the Service itself without one. */
export interface ServiceReach {
  readonly podAddress: string;
  readonly hasSidecar: boolean;
}

/**
 * Kubernetes' variables for Services (pkg/kubelet/envvars/envvars.go): `WEB_SERVICE_HOST`, `WEB_SERVICE_PORT`,
 * `WEB_SERVICE_PORT_HTTP` and Docker's old ones, `WEB_PORT_80_TCP_ADDR` and so on. With a sidecar the host is the pod's own
 * address and the port the one on which its sidecar listens for that Service. Headless Services have none.
 */
export function serviceVariables(services: readonly Service[], reach: ServiceReach): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const service of services.toSorted((left, right) => (left.metadata.name < right.metadata.name ? -1 : 1))) {
    const { clusterIP } = service.spec;
    if (clusterIP === undefined || clusterIP === '' || clusterIP === 'None') continue;
    const host = reach.hasSidecar ? reach.podAddress : clusterIP;
    const ports = reachablePorts(service, reach);
    const [first] = ports;
    if (first === undefined) continue;
    const name = variableName(service.metadata.name);
    variables[`${name}_SERVICE_HOST`] = host;
    variables[`${name}_SERVICE_PORT`] = String(first.reachedAt);
    for (const { port, reachedAt } of ports) {
      if (port.name !== undefined) variables[`${name}_SERVICE_PORT_${variableName(port.name)}`] = String(reachedAt);
    }
    Object.assign(variables, linkVariables(name, host, ports));
  }
  return variables;
}

/** The API server, as an in-cluster client looks for it: the first, where there are several with commas between. */
export function apiServerVariables(server: string): Record<string, string> {
  const { hostname, port, protocol } = new URL(server.split(',')[0] ?? '');
  const number = port === '' ? (protocol === 'https:' ? '443' : '80') : port;
  return {
    KUBERNETES_SERVICE_HOST: hostname.replace(/^\[|\]$/g, ''),
    KUBERNETES_SERVICE_PORT: number,
    KUBERNETES_SERVICE_PORT_HTTPS: number,
  };
}

/** envvars.makeEnvVariableName. */
export function variableName(name: string): string {
  return name.toUpperCase().replaceAll('-', '_');
}

interface ReachablePort {
  readonly port: ServicePort;
  readonly reachedAt: number;
}

function reachablePorts(service: Service, { hasSidecar }: ServiceReach): readonly ReachablePort[] {
  const outbound = outboundPorts(service);
  return (service.spec.ports ?? []).flatMap((port) => {
    const reachedAt = hasSidecar ? (outbound[port.name ?? ''] ?? outbound[String(port.port)]) : port.port;
    return reachedAt === undefined ? [] : [{ port, reachedAt }];
  });
}

function outboundPorts({ metadata }: Service): Readonly<Record<string, number>> {
  try {
    return JSON.parse(metadata.annotations?.[OUTBOUND_PORTS] ?? '{}') as Record<string, number>;
  } catch {
    return {};
  }
}

function linkVariables(name: string, host: string, ports: readonly ReachablePort[]): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [index, { port, reachedAt }] of ports.entries()) {
    const url = `${port.protocol.toLowerCase()}://${host}:${reachedAt}`;
    const prefix = `${name}_PORT_${port.port}_${port.protocol}`;
    if (index === 0) variables[`${name}_PORT`] = url;
    variables[prefix] = url;
    variables[`${prefix}_PROTO`] = port.protocol.toLowerCase();
    variables[`${prefix}_PORT`] = String(reachedAt);
    variables[`${prefix}_ADDR`] = host;
  }
  return variables;
}
