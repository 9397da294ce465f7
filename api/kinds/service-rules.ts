import { fieldDuplicate, fieldForbidden, fieldImmutable, fieldInvalid, fieldRequired } from '../meta/field-error.ts';
import { validateLabels, wrong } from '../meta/metadata-rules.ts';
import { dnsLabel, dnsSubdomain, portName, portNumber } from '../meta/names.ts';
import type { FieldError } from '../meta/status.ts';
import type { Service } from './service.ts';

/** ValidateService and ValidateServiceUpdate (k8s.io/kubernetes/pkg/apis/core/validation/validation.go). */
export function validateService(service: Service, old: Service | undefined): readonly FieldError[] {
  return [
    ...portErrors(service),
    ...validateLabels(service.spec.selector, 'spec.selector'),
    ...addressErrors(service),
    ...(old === undefined ? [] : updateErrors(service, old)),
  ];
}

function portErrors({ spec }: Service): readonly FieldError[] {
  const ports = spec.ports ?? [];
  const headless = spec.clusterIP === 'None';
  if (ports.length === 0) return headless || spec.type === 'ExternalName' ? [] : [fieldRequired('spec.ports')];
  return ports.flatMap((port, index) => {
    const field = `spec.ports[${index}]`;
    const earlier = ports.slice(0, index);
    const name = port.name ?? '';
    return [
      ...portNameErrors(name, `${field}.name`, ports.length > 1),
      ...(name !== '' && earlier.some((other) => other.name === name) ? [fieldDuplicate(`${field}.name`, name)] : []),
      ...(earlier.some((other) => other.port === port.port && other.protocol === port.protocol)
        ? [fieldDuplicate(field, { port: port.port, protocol: port.protocol })]
        : []),
      ...numberErrors(port.port, `${field}.port`),
      ...targetErrors(port.targetPort, `${field}.targetPort`),
    ];
  });
}

function portNameErrors(name: string, field: string, required: boolean): readonly FieldError[] {
  if (name === '') return required ? [fieldRequired(field)] : [];
  return wrong(field, name, dnsLabel);
}

function numberErrors(port: number, field: string): readonly FieldError[] {
  const why = portNumber(port);
  return why === undefined ? [] : [fieldInvalid(field, port, why)];
}

function targetErrors(port: number | string, field: string): readonly FieldError[] {
  return typeof port === 'number' ? numberErrors(port, field) : wrong(field, port, portName);
}

function addressErrors({ spec }: Service): readonly FieldError[] {
  if (spec.type === 'ExternalName') {
    const name = (spec.externalName ?? '').replace(/\.$/, '');
    return [
      ...(name === '' ? [fieldRequired('spec.externalName')] : wrong('spec.externalName', name, dnsSubdomain)),
      ...(spec.clusterIP ? [fieldForbidden('spec.clusterIPs', 'may not be set for ExternalName services')] : []),
    ];
  }
  const address = spec.clusterIP ?? '';
  if (spec.type === 'LoadBalancer' && address === 'None') {
    return [fieldInvalid('spec.clusterIPs[0]', address, "may not be set to 'None' for LoadBalancer services")];
  }
  return address === '' || address === 'None' || isAddress(address)
    ? []
    : [fieldInvalid('spec.clusterIPs[0]', address, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')];
}

function isAddress(text: string): boolean {
  const octets = text.split('.');
  return octets.length === 4 && octets.every((octet) => /^(0|[1-9]\d{0,2})$/.test(octet) && Number(octet) <= 255);
}

/** The address is given once; only a change of type from or to ExternalName lets it go. */
function updateErrors({ spec }: Service, old: Service): readonly FieldError[] {
  const kept = spec.type !== 'ExternalName' && old.spec.type !== 'ExternalName' && (old.spec.clusterIP ?? '') !== '';
  return kept ? fieldImmutable('spec.clusterIPs[0]', spec.clusterIP ?? '', old.spec.clusterIP) : [];
}
