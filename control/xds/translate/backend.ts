import type { HttpBackendRef } from '../../../api/kinds/http-route.ts';
import { sentProxyProtocol } from '../../../api/kinds/proxy-protocol.ts';
import { canCarry, isHttp2Port, type RoutedProtocol } from './mesh-service.ts';
import { serviceCluster } from './names.ts';
import type { World } from './world.ts';

/** Where a backendRef leads, or why it leads nowhere: reasons of the Gateway API's ResolvedRefs condition. */
export type Backend =
  | {
      readonly ok: true;
      readonly cluster: string;
      readonly service: string;
      readonly port: number;
      /** The port speaks HTTP/2. */
      readonly http2: boolean;
    }
  | {
      readonly ok: false;
      readonly reason: 'InvalidKind' | 'RefNotPermitted' | 'BackendNotFound' | 'UnsupportedProtocol';
      readonly message: string;
    };

/**
 * Where calls of a protocol are led: sidecars and ingresses carry `http`, gRPC's clients `grpc`, TLS that is passed on is `tcp`, CONNECT brings `bytes`. There is no ReferenceGrant here: a backend
 * in another namespace is not permitted.
 */
export function resolveBackend(
  ref: Omit<HttpBackendRef, 'filters'>,
  route: { readonly metadata: { readonly namespace?: string | undefined } },
  world: World,
  wanted: RoutedProtocol = 'http',
): Backend {
  const own = route.metadata.namespace ?? '';
  const namespace = ref.namespace ?? own;
  const quoted = `backend "${namespace}/${ref.name}${ref.port === undefined ? '' : `:${ref.port}`}"`;
  if (ref.group !== '' || ref.kind !== 'Service') {
    const message = `${quoted}: kind is ${ref.group === '' ? ref.kind : `${ref.group}/${ref.kind}`}, wanted Service`;
    return { ok: false, reason: 'InvalidKind', message };
  }
  if (namespace !== own) {
    return { ok: false, reason: 'RefNotPermitted', message: `${quoted}: is not in the route's namespace "${own}"` };
  }
  const service = world.services.get(`${namespace}/${ref.name}`);
  if (service === undefined) {
    return { ok: false, reason: 'BackendNotFound', message: `${quoted}: there is no such Service` };
  }
  const port = service.spec.ports?.find((one) => one.port === ref.port);
  if (port === undefined || service.spec.type === 'ExternalName') {
    const ports = (service.spec.ports ?? []).map((one) => one.port).join(', ') || 'none';
    return { ok: false, reason: 'BackendNotFound', message: `${quoted}: the Service has ports ${ports}` };
  }
  if (!canCarry(port, service, wanted)) {
    const told = sentProxyProtocol(service) === undefined ? undefined : 'the PROXY protocol';
    const spoken = told ?? port.appProtocol ?? (port.protocol === 'TCP' ? 'http' : port.protocol);
    const message = `${quoted}: the port speaks ${spoken}, wanted ${wanted}`;
    return { ok: false, reason: 'UnsupportedProtocol', message };
  }
  const cluster = serviceCluster(namespace, ref.name, port.port);
  return { ok: true, cluster, service: `${namespace}/${ref.name}`, port: port.port, http2: isHttp2Port(port) };
}
