import { fieldDuplicate, fieldForbidden, fieldInvalid, fieldRequired } from '../meta/field-error.ts';
import { wrong } from '../meta/metadata-rules.ts';
import { dnsLabel, environmentName, portName, portNumber } from '../meta/names.ts';
import { parseQuantity } from '../meta/quantity.ts';
import type { FieldError } from '../meta/status.ts';
import type { Container } from './container.ts';
import type { Probe } from './probe.ts';
import type { Volume } from './volume.ts';

export interface ContainerPlace {
  readonly field: string;
  readonly volumes: readonly Volume[];
  readonly role: 'main' | 'init';
}

/** ValidateContainer (k8s.io/kubernetes/pkg/apis/core/validation/validation.go), for what Tutti acts on. */
export function validateContainer(container: Container, place: ContainerPlace): readonly FieldError[] {
  const { field } = place;
  return [
    ...wrong(`${field}.name`, container.name, dnsLabel),
    ...imageErrors(container.image, `${field}.image`),
    ...portErrors(container, `${field}.ports`),
    ...environmentErrors(container, field),
    ...mountErrors(container, place),
    ...resourceErrors(container, `${field}.resources`),
    ...probeErrors(container, place),
    ...(place.role === 'main' && container.restartPolicy !== undefined
      ? [fieldForbidden(`${field}.restartPolicy`, 'may not be set for non-init containers')]
      : []),
  ];
}

function imageErrors(image: string | undefined, field: string): readonly FieldError[] {
  if (image === undefined || image === '') return [fieldRequired(field)];
  return image.trim() === image ? [] : [fieldInvalid(field, image, 'must not have leading or trailing whitespace')];
}

function portErrors({ ports = [] }: Container, field: string): readonly FieldError[] {
  return ports.flatMap((port, index) => {
    const at = `${field}[${index}]`;
    const badNumber = portNumber(port.containerPort);
    const named = port.name !== undefined && port.name !== '';
    return [
      ...(named ? wrong(`${at}.name`, port.name ?? '', portName) : []),
      ...(named && ports.findIndex(({ name }) => name === port.name) < index
        ? [fieldDuplicate(`${at}.name`, port.name)]
        : []),
      ...(badNumber === undefined ? [] : [fieldInvalid(`${at}.containerPort`, port.containerPort, badNumber)]),
    ];
  });
}

function environmentErrors({ env = [], envFrom = [] }: Container, field: string): readonly FieldError[] {
  return [
    ...env.flatMap(({ name, value, valueFrom }, index) => {
      const at = `${field}.env[${index}]`;
      const sources = Object.values(valueFrom ?? {}).filter((source) => source !== undefined);
      return [
        ...wrong(`${at}.name`, name, environmentName),
        ...(valueFrom !== undefined && sources.length === 0
          ? [
              fieldInvalid(
                `${at}.valueFrom`,
                '',
                'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
              ),
            ]
          : []),
        ...(sources.length > 0 && (value ?? '') !== ''
          ? [fieldInvalid(`${at}.valueFrom`, '', 'may not be specified when `value` is not empty')]
          : []),
        ...(sources.length > 1
          ? [fieldInvalid(`${at}.valueFrom`, '', 'may not have more than one field specified at a time')]
          : []),
      ];
    }),
    ...envFrom.flatMap(({ configMapRef, secretRef }, index) => {
      const at = `${field}.envFrom[${index}]`;
      if (configMapRef === undefined && secretRef === undefined) {
        return [fieldInvalid(at, '', 'must specify one of: `configMapRef` or `secretRef`')];
      }
      return configMapRef !== undefined && secretRef !== undefined
        ? [fieldInvalid(at, '', 'may not have more than one field specified at a time')]
        : [];
    }),
  ];
}

function mountErrors({ volumeMounts = [] }: Container, { field, volumes }: ContainerPlace): readonly FieldError[] {
  return volumeMounts.flatMap((mount, index) => {
    const at = `${field}.volumeMounts[${index}]`;
    return [
      ...(volumes.some(({ name }) => name === mount.name)
        ? []
        : [
            {
              type: 'FieldValueInvalid' as const,
              field: `${at}.name`,
              message: `Not found: ${JSON.stringify(mount.name)}`,
            },
          ]),
      ...(volumeMounts.findIndex(({ mountPath }) => mountPath === mount.mountPath) < index
        ? [fieldInvalid(`${at}.mountPath`, mount.mountPath, 'must be unique')]
        : []),
      ...((mount.subPath ?? '').split('/').includes('..')
        ? [fieldInvalid(`${at}.subPath`, mount.subPath, "must not contain '..'")]
        : []),
    ];
  });
}

/** validateContainerResourceRequirements: a request fits within its limit, and none is negative. */
function resourceErrors(
  { resources: { limits = {}, requests = {} } }: Container,
  field: string,
): readonly FieldError[] {
  const negative = (list: Readonly<Record<string, string>>, at: string): readonly FieldError[] =>
    Object.entries(list).flatMap(([name, text]) =>
      (parseQuantity(text)?.nanos ?? 0n) < 0n
        ? [fieldInvalid(`${at}[${name}]`, text, 'must be greater than or equal to 0')]
        : [],
    );
  return [
    ...negative(limits, `${field}.limits`),
    ...negative(requests, `${field}.requests`),
    ...Object.entries(requests).flatMap(([name, text]) => {
      const limit = limits[name];
      const over = limit !== undefined && (parseQuantity(text)?.nanos ?? 0n) > (parseQuantity(limit)?.nanos ?? 0n);
      return over
        ? [fieldInvalid(`${field}.requests`, text, `must be less than or equal to ${name} limit of ${limit}`)]
        : [];
    }),
  ];
}

function probeErrors(container: Container, { field, role }: ContainerPlace): readonly FieldError[] {
  const probes = (['livenessProbe', 'readinessProbe', 'startupProbe'] as const).flatMap((name) => {
    const probe = container[name];
    return probe === undefined ? [] : [[name, probe] as const];
  });
  if (role === 'init' && container.restartPolicy !== 'Always') {
    return probes.map(([name]) =>
      fieldForbidden(`${field}.${name}`, 'may not be set for init containers without restartPolicy=Always'),
    );
  }
  return probes.flatMap(([name, probe]) => [
    ...validateProbe(probe, container, `${field}.${name}`),
    ...(name !== 'readinessProbe' && probe.successThreshold !== 1
      ? [fieldInvalid(`${field}.${name}.successThreshold`, probe.successThreshold, 'must be 1')]
      : []),
  ]);
}

function validateProbe(probe: Probe, { ports = [] }: Container, field: string): readonly FieldError[] {
  const [first, ...more] = (['exec', 'httpGet', 'tcpSocket', 'grpc'] as const).filter(
    (handler) => probe[handler] !== undefined,
  );
  const times = [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ] as const;
  const port = probe.httpGet?.port ?? probe.tcpSocket?.port ?? probe.grpc?.port;
  const named = ports.some(({ name }) => name === port);
  const badNumber = typeof port === 'number' ? portNumber(port) : undefined;
  const portField = `${field}.${first ?? ''}.port`;
  return [
    ...(first === undefined ? [fieldRequired(field, 'must specify a handler type')] : []),
    ...more.map((handler) => fieldForbidden(`${field}.${handler}`, 'may not specify more than 1 handler type')),
    ...times.flatMap((name) =>
      (probe[name] ?? 0) < 0
        ? [fieldInvalid(`${field}.${name}`, probe[name], 'must be greater than or equal to 0')]
        : [],
    ),
    ...(probe.exec !== undefined && (probe.exec.command ?? []).length === 0
      ? [fieldRequired(`${field}.exec.command`)]
      : []),
    ...(badNumber === undefined ? [] : [fieldInvalid(portField, port, badNumber)]),
    ...(typeof port === 'string' && !named ? wrong(portField, port, portName) : []),
  ];
}
