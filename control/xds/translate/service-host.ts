import { CLUSTER_DOMAIN } from '../../../api/meta/well-known.ts';
import type { MeshPort } from './mesh-service.ts';

/**
 * Every authority by which callers in a namespace may name a Service's port: as Kubernetes' DNS does (short in its own
 * namespace), and by its address. The port may be left out where it is HTTP's own.
 */
export function serviceDomains(port: MeshPort, callerNamespace: string): readonly string[] {
  const address = port.service.spec.clusterIP ?? '';
  const names = serviceNames(port.serviceName, port.namespace, callerNamespace);
  return withPort([...names, ...(address === '' || address === 'None' ? [] : [address])], port.port);
}

/** A Service's names, without ports. */
export function serviceNames(serviceName: string, namespace: string, callerNamespace: string): readonly string[] {
  const qualified = `${serviceName}.${namespace}`;
  const full = [qualified, `${qualified}.svc`, `${qualified}.svc.${CLUSTER_DOMAIN}`];
  return namespace === callerNamespace ? [serviceName, ...full] : full;
}

export function withPort(names: readonly string[], port: number): readonly string[] {
  return names.flatMap((name) => [...(port === 80 ? [name] : []), `${name}:${port}`]);
}
