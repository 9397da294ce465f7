import { fieldDuplicate, fieldInvalid, fieldRequired } from '../meta/field-error.ts';
import { wrong } from '../meta/metadata-rules.ts';
import { dnsLabel, dnsSubdomain, ipAddress, isIpv4, isIpv6, qualifiedName } from '../meta/names.ts';
import type { FieldError } from '../meta/status.ts';
import type { Endpoint, EndpointPort, EndpointSlice } from './endpoint-slice.ts';

/**
 * ValidateEndpointSlice (k8s.io/kubernetes/pkg/apis/discovery/validation/validation.go), but that loopback addresses are good: those
 * of Tutti's pods are.
 */
export function endpointSliceErrors({ addressType, endpoints, ports }: EndpointSlice): readonly FieldError[] {
  return [
    ...ports.flatMap((port, index) => portErrors(port, index, ports)),
    ...endpoints.flatMap((endpoint, index) => [
      ...endpointErrors(endpoint, `endpoints[${index}]`),
      ...addressErrors(endpoint.addresses, addressType, `endpoints[${index}].addresses`),
    ]),
  ];
}

function portErrors(
  { name, appProtocol }: EndpointPort,
  index: number,
  ports: readonly EndpointPort[],
): readonly FieldError[] {
  const at = `ports[${index}]`;
  return [
    ...(name === '' ? [] : wrong(`${at}.name`, name, dnsLabel)),
    ...(ports.slice(0, index).some((other) => other.name === name) ? [fieldDuplicate(`${at}.name`, name)] : []),
    ...(appProtocol === undefined ? [] : wrong(`${at}.appProtocol`, appProtocol, qualifiedName)),
  ];
}

function addressErrors(
  addresses: readonly string[],
  type: EndpointSlice['addressType'],
  field: string,
): readonly FieldError[] {
  if (type === 'FQDN') return addresses.flatMap((address, index) => wrong(`${field}[${index}]`, address, dnsSubdomain));
  const isOfType = type === 'IPv4' ? isIpv4 : isIpv6;
  return addresses.flatMap((address, index) => {
    const shape = wrong(`${field}[${index}]`, address, ipAddress);
    if (shape.length > 0 || isOfType(address)) return shape;
    return [fieldInvalid(field, address, `must be an ${type} address`)];
  });
}

/** Addresses of one endpoint (maxAddresses). */
const MAX_ADDRESSES = 100;

function endpointErrors({ addresses, nodeName, hostname }: Endpoint, at: string): readonly FieldError[] {
  const field = `${at}.addresses`;
  return [
    ...(addresses.length === 0 ? [fieldRequired(field, 'must contain at least 1 address')] : []),
    ...(addresses.length > MAX_ADDRESSES
      ? [fieldInvalid(field, addresses.length, `must have at most ${MAX_ADDRESSES} items`)]
      : []),
    ...(nodeName === undefined ? [] : wrong(`${at}.nodeName`, nodeName, dnsSubdomain)),
    ...(hostname === undefined ? [] : wrong(`${at}.hostname`, hostname, dnsLabel)),
  ];
}
