import { ipAddress } from '../meta/names.ts';
import type { FieldError } from '../meta/status.ts';
import { brokenRules } from './custom-rules.ts';
import { parentErrors, serviceErrors } from './http-route-rules.ts';
import type { TlsRoute } from './tls-route.ts';

/** The CEL rules of TLSRoute (apis/v1/tlsroute_types.go of kubernetes-sigs/gateway-api), at the places that they stand at. */
export function validateTlsRoute({ spec }: TlsRoute): readonly FieldError[] {
  return [
    ...parentErrors(spec.parentRefs ?? []),
    ...brokenRules('spec.hostnames', 'array', [
      [spec.hostnames.some((host) => ipAddress(host).length === 0), 'Hostnames cannot contain an IP'],
    ]),
    ...spec.rules.flatMap(({ backendRefs }, rule) =>
      backendRefs.flatMap((backend, index) => serviceErrors(backend, `spec.rules[${rule}].backendRefs[${index}]`)),
    ),
  ];
}
