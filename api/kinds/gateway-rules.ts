import { fieldInvalid } from '../meta/field-error.ts';
import type { FieldError } from '../meta/status.ts';
import type { Gateway, GatewayListener } from './gateway.ts';

/** The CEL rules on GatewaySpec.Listeners (apis/v1/gateway_types.go), told at the listener that breaks them. */
export function validateGateway({ spec }: Gateway): readonly FieldError[] {
  return spec.listeners.flatMap((listener, index) => {
    const earlier = spec.listeners.slice(0, index);
    const field = `spec.listeners[${index}]`;
    return listenerErrors(listener, earlier).map((detail) => fieldInvalid(field, listener.name, detail));
  });
}

function listenerErrors(listener: GatewayListener, earlier: readonly GatewayListener[]): readonly string[] {
  const protocol = listener.protocol.toUpperCase();
  const plain = protocol === 'HTTP' || protocol === 'TCP' || protocol === 'UDP';
  const checks: readonly (readonly [broken: boolean, detail: string])[] = [
    [plain && listener.tls !== undefined, "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']"],
    [protocol === 'HTTPS' && listener.tls?.mode === 'Passthrough', 'tls mode must be Terminate for protocol HTTPS'],
    [protocol === 'TLS' && listener.tls === undefined, 'tls mode must be set for protocol TLS'],
    [
      (protocol === 'TCP' || protocol === 'UDP') && listener.hostname !== undefined,
      "hostname must not be specified for protocols ['TCP', 'UDP']",
    ],
    [
      listener.tls?.mode === 'Terminate' && (listener.tls.certificateRefs ?? []).length === 0 && emptyOptions(listener),
      'certificateRefs or options must be specified when mode is Terminate',
    ],
    [earlier.some(({ name }) => name === listener.name), 'Listener name must be unique within the Gateway'],
    [
      earlier.some((other) => samePlace(other, listener)),
      'Combination of port, protocol and hostname must be unique for each listener',
    ],
  ];
  return checks.filter(([broken]) => broken).map(([, detail]) => detail);
}

function emptyOptions({ tls }: GatewayListener): boolean {
  return Object.keys(tls?.options ?? {}).length === 0;
}

function samePlace(left: GatewayListener, right: GatewayListener): boolean {
  return left.port === right.port && left.protocol === right.protocol && left.hostname === right.hostname;
}
