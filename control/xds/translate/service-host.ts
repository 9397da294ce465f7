import { CLUSTER_DOMAIN } from '../../../api/meta/well-known.ts';
import type { MeshPort } from './mesh-service.ts';

/**
 * Every authority by which callers in a namespace may name a Service's port: as Kubernetes' DNS does (short in its own
 * namespace), and by its address. The port may be left out where it is HTTP's own.
 */
export function serviceDomains(port: MeshPort, callerNamespace: string): readonly string[] {
  const { serviceName, namespace, service } = port;
  const qualified = `${serviceName}.${namespace}`;
  const address = service.spec.clusterIP ?? '';
  const names = [
    ...(namespace === callerNamespace ? [serviceName] : []),
    qualified,
    `${qualified}.svc`,
    `${qualified}.svc.${CLUSTER_DOMAIN}`,
    ...(address === '' || address === 'None' ? [] : [address]),
  ];
  return names.flatMap((name) => [...(port.port === 80 ? [name] : []), `${name}:${port.port}`]);
}
