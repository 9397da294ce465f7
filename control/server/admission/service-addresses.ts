import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../../api/kinds/kind.ts';
import type { Service } from '../../../api/kinds/service.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { fieldInvalid } from '../../../api/meta/field-error.ts';
import { OUTBOUND_PORTS } from '../../../api/meta/well-known.ts';
import type { AdmissionRequest, AdmissionTools } from './admission.ts';
import type { Allocator } from './allocator.ts';
import { outboundPortsOf } from './claims.ts';
import { ipv4Number } from './ipv4.ts';
import { outboundPorts, serviceAddresses } from './pool.ts';

/**
 * Gives a Service its virtual address and, for each port, the port that sidecars listen on for it. Headless and
 * ExternalName Services have neither. An update keeps what was given.
 */
export async function admitService(request: AdmissionRequest, { allocator }: AdmissionTools): Promise<KubeObject> {
  const { kind, object, old } = request as AdmissionRequest<Service>;
  if (kind.group !== '' || kind.kind !== 'Service') return object;
  const addressed = await withAddress(kind, object, old, allocator);
  return await withOutboundPorts(addressed, old, allocator);
}

async function withAddress(
  kind: AdmissionRequest<Service>['kind'],
  service: Service,
  old: Service | undefined,
  allocator: Allocator,
): Promise<Service> {
  const { spec } = service;
  if (spec.type === 'ExternalName') return withoutAddress(service, old);
  // A list without its first as the address is a new object's mistake, which the rules tell.
  if (old === undefined && !spec.clusterIP && (spec.clusterIPs ?? []).length > 0) return service;
  const named = spec.clusterIP || spec.clusterIPs?.[0] || undefined;
  // A PUT that leaves the address out keeps it (patchAllocatedValues in pkg/registry/core/service/storage).
  const kept = old === undefined || old.spec.type === 'ExternalName' ? undefined : old.spec.clusterIP;
  const address = named ?? kept ?? (await allocator.free(serviceAddresses, 1))[0] ?? '';
  // What is no address at all, the rules of the kind refuse.
  const outside = ipv4Number(address) !== undefined && serviceAddresses.indexOf(address) === undefined;
  if (address !== kept && outside) {
    const detail = `failed to allocate IP ${address}: the provided IP (${address}) is not in the valid range. The range of valid IPs is 127.96.0.0/12`;
    throw ApiError.invalid(kind, service.metadata.name, [fieldInvalid('spec.clusterIPs', [address], detail)]);
  }
  return { ...service, spec: { ...spec, clusterIP: address, clusterIPs: addressList(address, spec, old) } };
}

/** As the client says it, for the rules to judge; where it only repeats the old one, the list follows the address. */
function addressList(address: string, { clusterIPs = [] }: Service['spec'], old: Service | undefined): string[] {
  const repeated = clusterIPs.length === 1 && clusterIPs[0] === old?.spec.clusterIP;
  return clusterIPs.length === 0 || repeated ? [address] : [...clusterIPs];
}

/** A change of type to ExternalName lets go the address that the old object had; a new one is the client's mistake. */
function withoutAddress(service: Service, old: Service | undefined): Service {
  if (old === undefined || old.spec.type === 'ExternalName' || service.spec.clusterIP !== old.spec.clusterIP)
    return service;
  const { clusterIP: _address, clusterIPs: _addresses, ...others } = service.spec;
  const spec = { ...others };
  // dropTypeDependentFields: so goes what means nothing without an address, unless the client has just set it.
  for (const field of ['ipFamilies', 'ipFamilyPolicy', 'internalTrafficPolicy'] as const)
    if (isDeepStrictEqual(spec[field], old.spec[field])) delete spec[field];
  return { ...service, spec };
}

async function withOutboundPorts(service: Service, old: Service | undefined, allocator: Allocator): Promise<Service> {
  const { [OUTBOUND_PORTS]: _, ...annotations } = service.metadata.annotations ?? {};
  const wanted = hasAddress(service) ? (service.spec.ports ?? []).map(({ name, port }) => name || String(port)) : [];
  if (wanted.length === 0) {
    const changed = service.metadata.annotations?.[OUTBOUND_PORTS] !== undefined;
    if (!changed) return service;
    const { annotations: _all, ...metadata } = service.metadata;
    return { ...service, metadata: Object.keys(annotations).length === 0 ? metadata : { ...metadata, annotations } };
  }
  const given = old === undefined ? {} : outboundPortsOf(old);
  const missing = [...new Set(wanted.filter((key) => given[key] === undefined))];
  const fresh = await allocator.free(outboundPorts, missing.length);
  const ports = Object.fromEntries(
    wanted.map((key) => [key, given[key] ?? Number(fresh[missing.indexOf(key)])] as const),
  );
  return {
    ...service,
    metadata: { ...service.metadata, annotations: { ...annotations, [OUTBOUND_PORTS]: JSON.stringify(ports) } },
  };
}

function hasAddress({ spec }: Service): boolean {
  return spec.type !== 'ExternalName' && spec.clusterIP !== undefined && spec.clusterIP !== 'None';
}
