import { fieldDuplicate } from '../meta/field-error.ts';
import { ipAddress } from '../meta/names.ts';
import type { FieldError } from '../meta/status.ts';
import { brokenRules } from './custom-rules.ts';
import type { Gateway, GatewayListener } from './gateway.ts';
import { proxyProtocolErrors } from './proxy-protocol.ts';

/** The CEL rules of Gateway (apis/v1/gateway_types.go of kubernetes-sigs/gateway-api), at the places that they stand at. */
export function validateGateway({ metadata, spec }: Gateway): readonly FieldError[] {
  const { listeners } = spec;
  return [
    ...proxyProtocolErrors({ metadata }),
    ...listeners.flatMap(({ name }, index) =>
      listeners.findIndex((other) => other.name === name) < index
        ? [fieldDuplicate(`spec.listeners[${index}]`, { name })]
        : [],
    ),
    ...brokenRules('spec.listeners', 'array', [
      [
        listeners.some(({ protocol, tls }) => ['HTTP', 'TCP', 'UDP'].includes(protocol) && tls !== undefined),
        "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']",
      ],
      [
        listeners.some(({ protocol, tls }) => protocol === 'HTTPS' && tls?.mode === 'Passthrough'),
        'tls mode must be Terminate for protocol HTTPS',
      ],
      [
        listeners.some(({ protocol, tls }) => protocol === 'TLS' && tls === undefined),
        'tls mode must be set for protocol TLS',
      ],
      [
        listeners.some(({ protocol, hostname }) => ['TCP', 'UDP'].includes(protocol) && hostname !== undefined),
        "hostname must not be specified for protocols ['TCP', 'UDP']",
      ],
      [repeats(listeners, ({ name }) => name), 'Listener name must be unique within the Gateway'],
      [repeats(listeners, placeOf), 'Combination of port, protocol and hostname must be unique for each listener'],
    ]),
    ...listeners.flatMap(({ tls }, index) => certificateErrors(tls, `spec.listeners[${index}].tls`)),
    ...addressErrors(spec.addresses ?? []),
  ];
}

function certificateErrors(tls: GatewayListener['tls'], field: string): readonly FieldError[] {
  if (tls?.mode !== 'Terminate' || Object.keys(tls.options ?? {}).length > 0) return [];
  const rule = 'certificateRefs or options must be specified when mode is Terminate';
  // Where there is no list at all, the rule itself cannot be carried out.
  const missing = tls.certificateRefs === undefined || tls.options === undefined;
  const key = tls.certificateRefs === undefined ? 'certificateRefs' : 'options';
  return brokenRules(field, 'object', [
    [(tls.certificateRefs ?? []).length === 0, missing ? `no such key: ${key} evaluating rule: ${rule}` : rule],
  ]);
}

type Address = NonNullable<Gateway['spec']['addresses']>[number];

const HOST_NAME = String.raw`^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`;
const HOST_NAME_SHAPE = new RegExp(HOST_NAME);

function addressErrors(addresses: readonly Address[]): readonly FieldError[] {
  const ofType = (wanted: string): readonly Address[] =>
    addresses.filter(({ type, value }) => type === wanted && value !== undefined);
  return [
    ...brokenRules('spec.addresses', 'array', [
      [repeats(ofType('IPAddress'), ({ value = '' }) => value), 'IPAddress values must be unique'],
      [repeats(ofType('Hostname'), ({ value = '' }) => value), 'Hostname values must be unique'],
    ]),
    ...addresses.flatMap(({ type, value = '' }, index) =>
      brokenRules(`spec.addresses[${index}]`, 'object', [
        [
          type === 'Hostname' && value !== '' && !HOST_NAME_SHAPE.test(value),
          `Hostname value must be empty or contain only valid characters (matching ${HOST_NAME})`,
        ],
        [
          type === 'IPAddress' && value !== '' && ipAddress(value).length > 0,
          `value must be an IP address, is ${JSON.stringify(value)}`,
        ],
      ]),
    ),
  ];
}

function placeOf({ port, protocol, hostname }: GatewayListener): string {
  return JSON.stringify([port, protocol, hostname ?? null]);
}

function repeats<Item>(items: readonly Item[], key: (item: Item) => string): boolean {
  return new Set(items.map(key)).size < items.length;
}
