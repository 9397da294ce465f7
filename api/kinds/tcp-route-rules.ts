import type { FieldError } from '../meta/status.ts';
import { brokenRules } from './custom-rules.ts';
import { parentErrors, serviceErrors } from './http-route-rules.ts';
import type { TcpRoute } from './tcp-route.ts';

/** The CEL rules of TCPRoute (apis/v1alpha2/tcproute_types.go of kubernetes-sigs/gateway-api), at the places that they stand at. */
export function validateTcpRoute({ spec }: TcpRoute): readonly FieldError[] {
  const names = spec.rules.flatMap(({ name }) => name ?? []);
  return [
    ...parentErrors(spec.parentRefs ?? []),
    ...brokenRules('spec.rules', 'array', [
      [new Set(names).size < names.length, 'Rule name must be unique within the route'],
    ]),
    ...spec.rules.flatMap(({ backendRefs }, rule) =>
      backendRefs.flatMap((backend, index) => serviceErrors(backend, `spec.rules[${rule}].backendRefs[${index}]`)),
    ),
  ];
}
