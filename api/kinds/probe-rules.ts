import { fieldForbidden, fieldInvalid, fieldRequired } from '../meta/field-error.ts';
import { wrong } from '../meta/metadata-rules.ts';
import { portName, portNumber } from '../meta/names.ts';
import type { FieldError } from '../meta/status.ts';
import type { Container } from './container.ts';
import type { Probe } from './probe.ts';

/* Probes and lifecycle hooks: validateProbe, validateHandler, validateLifecycle of core/validation/validation.go. */

type Role = 'main' | 'init';
type Handler = Partial<Pick<Probe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'>> & {
  readonly sleep?: { readonly seconds: number } | undefined;
};

const HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;
const COUNTS = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
] as const;
const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const;

/** Whoever runs to its end and is not restarted has nothing to probe. */
export function lifeErrors(
  container: Container,
  field: string,
  { role, graceSeconds }: { readonly role: Role; readonly graceSeconds: number },
): readonly FieldError[] {
  if (role === 'init' && container.restartPolicy !== 'Always') {
    const detail = 'may not be set for init containers without restartPolicy=Always';
    return (['lifecycle', ...PROBES] as const)
      .filter((name) => container[name] !== undefined)
      .map((name) => fieldForbidden(`${field}.${name}`, detail));
  }
  const hooks = (['postStart', 'preStop'] as const).flatMap((name) => {
    const hook = container.lifecycle?.[name];
    return hook === undefined ? [] : handlerErrors(hook, `${field}.lifecycle.${name}`, graceSeconds);
  });
  const probes = PROBES.flatMap((name) => {
    const probe = container[name];
    return probe === undefined ? [] : probeErrors(name, probe, `${field}.${name}`);
  });
  return [...hooks, ...probes];
}

function probeErrors(name: (typeof PROBES)[number], probe: Probe, field: string): readonly FieldError[] {
  const grace = probe.terminationGracePeriodSeconds;
  return [
    ...handlerErrors(probe, field, 0),
    ...COUNTS.flatMap((count) =>
      (probe[count] ?? 0) < 0
        ? [fieldInvalid(`${field}.${count}`, probe[count], 'must be greater than or equal to 0')]
        : [],
    ),
    ...(grace !== undefined && grace <= 0
      ? [fieldInvalid(`${field}.terminationGracePeriodSeconds`, grace, 'must be greater than 0')]
      : []),
    ...(name !== 'readinessProbe' && probe.successThreshold !== 1
      ? [fieldInvalid(`${field}.successThreshold`, probe.successThreshold, 'must be 1')]
      : []),
    ...(name === 'readinessProbe' && grace !== undefined
      ? [fieldInvalid(`${field}.terminationGracePeriodSeconds`, grace, 'must not be set for readinessProbes')]
      : []),
  ];
}

function handlerErrors(handler: Handler, field: string, graceSeconds: number): readonly FieldError[] {
  const [first, ...more] = HANDLERS.filter((name) => handler[name] !== undefined);
  if (first === undefined) return [fieldRequired(field, 'must specify a handler type')];
  return [
    ...oneHandlerErrors(first, handler, `${field}.${first}`, graceSeconds),
    ...more.map((name) => fieldForbidden(`${field}.${name}`, 'may not specify more than 1 handler type')),
  ];
}

function oneHandlerErrors(
  name: (typeof HANDLERS)[number],
  { exec, httpGet, tcpSocket, grpc, sleep }: Handler,
  field: string,
  graceSeconds: number,
): readonly FieldError[] {
  switch (name) {
    case 'exec':
      return (exec?.command ?? []).length === 0 ? [fieldRequired(`${field}.command`)] : [];
    case 'httpGet':
    case 'tcpSocket':
    case 'grpc':
      return portErrors((httpGet ?? tcpSocket ?? grpc)?.port ?? 0, `${field}.port`);
    case 'sleep': {
      const seconds = sleep?.seconds ?? 0;
      if (seconds >= 0 && seconds <= graceSeconds) return [];
      const detail = `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`;
      return [fieldInvalid(field, seconds, detail)];
    }
    default:
      return name satisfies never;
  }
}

function portErrors(port: number | string, field: string): readonly FieldError[] {
  if (typeof port === 'string') return wrong(field, port, portName);
  return portNumber(port).map((why) => fieldInvalid(field, port, why));
}
