import { fieldInvalid, fieldNotSupported, fieldRequired } from '../meta/field-error.ts';
import { wrong } from '../meta/metadata-rules.ts';
import { configKey, dnsSubdomain, environmentName, qualifiedName } from '../meta/names.ts';
import type { FieldError } from '../meta/status.ts';
import type { Container } from './container.ts';
import type { EnvFromSource, EnvVar, ResourceFieldSelector } from './environment.ts';

/* ValidateEnv, ValidateEnvFrom and the selectors of k8s.io/kubernetes/pkg/apis/core/validation/validation.go. */

/** What of a pod an environment variable may show. */
const ENVIRONMENT_FIELDS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];

/** What a file may show beside: whole maps. */
export const FILE_FIELDS = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];

/** Labels of fields that are known, whether or not they may be shown here (ConvertDownwardAPIFieldLabel). */
const KNOWN_FIELDS = [
  ...ENVIRONMENT_FIELDS,
  ...FILE_FIELDS,
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
];

const RESOURCES = ['limits', 'requests'].flatMap((list) =>
  ['cpu', 'ephemeral-storage', 'memory'].map((name) => `${list}.${name}`),
);

const BYTES = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];
const DIVISORS: Readonly<Record<string, readonly [allowed: readonly string[], words: string]>> = {
  cpu: [['1m', '1'], "only divisor's values 1m and 1 are supported with the cpu resource"],
  memory: [BYTES, `only divisor's values ${BYTES.join(', ')} are supported with the memory resource`],
  'ephemeral-storage': [
    BYTES,
    `only divisor's values ${BYTES.join(', ')} are supported with the local ephemeral storage resource`,
  ],
};

const MANY = 'may not have more than one field specified at a time';

export function environmentErrors({ env = [], envFrom = [] }: Container, field: string): readonly FieldError[] {
  return [
    ...env.flatMap((variable, index) => variableErrors(variable, `${field}.env[${index}]`)),
    ...envFrom.flatMap((source, index) => sourceErrors(source, `${field}.envFrom`, index)),
  ];
}

function variableErrors({ name, value, valueFrom }: EnvVar, field: string): readonly FieldError[] {
  const nameErrors = wrong(`${field}.name`, name, environmentName);
  if (valueFrom === undefined) return nameErrors;
  const at = `${field}.valueFrom`;
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  const sources = Object.values(valueFrom).filter((source) => source !== undefined).length;
  const none = 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`';
  return [
    ...nameErrors,
    ...(fieldRef === undefined ? [] : fieldRefErrors(fieldRef, ENVIRONMENT_FIELDS, `${at}.fieldRef`)),
    ...(resourceFieldRef === undefined ? [] : resourceFieldErrors(resourceFieldRef, `${at}.resourceFieldRef`)),
    ...(configMapKeyRef === undefined ? [] : keyErrors(configMapKeyRef, `${at}.configMapKeyRef`)),
    ...(secretKeyRef === undefined ? [] : keyErrors(secretKeyRef, `${at}.secretKeyRef`)),
    ...(sources === 0 ? [fieldInvalid(at, '', none)] : []),
    ...(sources > 0 && value ? [fieldInvalid(at, '', 'may not be specified when `value` is not empty')] : []),
    ...(sources > 1 && !value ? [fieldInvalid(at, '', MANY)] : []),
  ];
}

/** validateObjectFieldSelector; a key in brackets picks one label or annotation. */
export function fieldRefErrors(
  { fieldPath }: { readonly fieldPath: string },
  allowed: readonly string[],
  field: string,
): readonly FieldError[] {
  if (fieldPath === '') return [fieldRequired(`${field}.fieldPath`)];
  const [, path = '', key = ''] = /^(.+)\['(.*)'\]$/.exec(fieldPath) ?? [];
  if (path === 'metadata.labels') return wrong(field, key, qualifiedName);
  if (path === 'metadata.annotations') return wrong(field, key.toLowerCase(), qualifiedName);
  const unknown = path === '' ? 'field label not supported' : 'field label does not support subscript';
  if (path !== '' || !KNOWN_FIELDS.includes(fieldPath)) {
    return [fieldInvalid(`${field}.fieldPath`, fieldPath, `error converting fieldPath: ${unknown}: ${fieldPath}`)];
  }
  return allowed.includes(fieldPath) ? [] : [fieldNotSupported(`${field}.fieldPath`, fieldPath, allowed)];
}

export function resourceFieldErrors(
  { resource, divisor }: ResourceFieldSelector,
  field: string,
): readonly FieldError[] {
  const [list = '', name = ''] = resource.split('.');
  const pages = ['limits', 'requests'].includes(list) && name.startsWith('hugepages-');
  const [allowed, words] = DIVISORS[name] ?? [[divisor], ''];
  return [
    ...(resource === '' ? [fieldRequired(`${field}.resource`)] : []),
    ...(resource !== '' && !pages && !RESOURCES.includes(resource)
      ? [fieldNotSupported(`${field}.resource`, resource, RESOURCES)]
      : []),
    ...(divisor === '0' || allowed.includes(divisor) ? [] : [fieldInvalid(`${field}.divisor`, resource, words)]),
  ];
}

function keyErrors({ name, key }: { readonly name: string; readonly key: string }, field: string) {
  return [
    ...wrong(`${field}.name`, name, dnsSubdomain),
    ...(key === '' ? [fieldRequired(`${field}.key`)] : wrong(`${field}.key`, key, configKey)),
  ];
}

function sourceErrors(
  { prefix = '', configMapRef, secretRef }: EnvFromSource,
  field: string,
  index: number,
): readonly FieldError[] {
  const at = `${field}[${index}]`;
  const named = (ref: { readonly name: string } | undefined, kind: string): readonly FieldError[] => {
    if (ref === undefined) return [];
    const place = `${at}.${kind}.name`;
    return ref.name === '' ? [fieldRequired(place)] : wrong(place, ref.name, dnsSubdomain);
  };
  const both = configMapRef !== undefined && secretRef !== undefined;
  const neither = configMapRef === undefined && secretRef === undefined;
  return [
    ...(prefix === '' ? [] : wrong(`${at}.prefix`, prefix, environmentName)),
    ...named(configMapRef, 'configMapRef'),
    ...named(secretRef, 'secretRef'),
    ...(neither ? [fieldInvalid(field, '', 'must specify one of: `configMapRef` or `secretRef`')] : []),
    ...(both ? [fieldInvalid(field, '', MANY)] : []),
  ];
}
