import { z } from 'zod';
import { fieldImmutable, fieldInvalid, fieldRequired } from '../meta/field-error.ts';
import { wrong } from '../meta/metadata-rules.ts';
import { configKey } from '../meta/names.ts';
import type { FieldError } from '../meta/status.ts';
import { ageColumn, column, nameColumn } from './columns.ts';
import { defineKind, identity, type Stored } from './define-kind.ts';
import { frozenErrors, sizeErrors } from './payload-rules.ts';

const secretSchema = z
  .strictObject({
    ...identity('v1', 'Secret'),
    type: z
      .string()
      .overwrite((type) => type || 'Opaque')
      .default('Opaque')
      .describe('What the data is for. Cannot be changed.'),
    data: z.record(z.string(), z.base64()).optional().describe('Bytes by key, in base64.'),
    stringData: z
      .record(z.string(), z.string())
      .optional()
      .describe('Text by key, for writing only: it is merged into data.'),
    immutable: z.boolean().optional().describe('When true, data cannot be changed any more.'),
  })
  .overwrite(mergeStringData)
  .describe('Small sensitive data for pods to read.');

export type Secret = Stored<typeof secretSchema>;

/** Keys that a type requires (ValidateSecret). */
const REQUIRED_KEYS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
};

const BASIC_AUTH_KEYS = ['username', 'password'];

/** The annotation that says whose token it is. */
const ACCOUNT_NAME = 'kubernetes.io/service-account.name';

export const secretKind = defineKind<Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  namespaced: true,
  schema: secretSchema,
  columns: [
    nameColumn,
    column('Type', 'What the data is for.', ({ type }) => type),
    column('Data', 'How many keys it has.', ({ data }) => Object.keys(data ?? {}).length),
    ageColumn,
  ],
  selectableFields: { type: ({ type }) => type },
  warnings: certificateWarnings,
  validate: (secret, old) => [
    ...keyErrors(secret),
    ...sizeErrors(secret.data ?? {}, 'data'),
    ...(old === undefined ? [] : fieldImmutable('type', secret.type, old.type)),
    ...frozenErrors(secret, old, ['data']),
  ],
});

function keyErrors({ type, metadata, data = {} }: Secret): readonly FieldError[] {
  const required = REQUIRED_KEYS[type] ?? [];
  const anonymous = type === 'kubernetes.io/basic-auth' && BASIC_AUTH_KEYS.every((key) => !(key in data));
  const missing = [...required.filter((key) => !(key in data)), ...(anonymous ? BASIC_AUTH_KEYS : [])];
  return [
    ...Object.keys(data).flatMap((key) => wrong(`data[${key}]`, key, configKey)),
    ...(type === 'kubernetes.io/service-account-token' && !metadata.annotations?.[ACCOUNT_NAME]
      ? [fieldRequired(`metadata.annotations[${ACCOUNT_NAME}]`)]
      : []),
    ...missing.map((key) => fieldRequired(`data[${key}]`)),
    ...dockerErrors(type, data),
  ];
}

const DOCKER_KEYS: Readonly<Record<string, string>> = {
  'kubernetes.io/dockerconfigjson': '.dockerconfigjson',
  'kubernetes.io/dockercfg': '.dockercfg',
};

function dockerErrors(type: string, data: Readonly<Record<string, string>>): readonly FieldError[] {
  const key = DOCKER_KEYS[type];
  const value = key === undefined ? undefined : data[key];
  if (key === undefined || value === undefined) return [];
  try {
    JSON.parse(textOf(value));
    return [];
  } catch {
    return [fieldInvalid(`data[${key}]`, '<secret contents redacted>', 'must be JSON')];
  }
}

/** A certificate that none can read is taken, with a word on it (pkg/api/secret/warnings.go). */
function certificateWarnings({ type, data = {} }: Secret): readonly string[] {
  if (type !== 'kubernetes.io/tls') return [];
  return textOf(data['tls.crt'] ?? '').includes('-----BEGIN')
    ? []
    : ['tls: failed to find any PEM data in certificate input'];
}

function textOf(base64Text: string): string {
  return new TextDecoder().decode(Uint8Array.fromBase64(base64Text));
}

/** dropped after the merge, so that a Secret read has data alone (Convert_v1_Secret_To_core_Secret). */
function mergeStringData<S extends Pick<z.infer<typeof secretFields>, 'data' | 'stringData'>>(secret: S): S {
  const { stringData, ...rest } = secret;
  if (stringData === undefined) return withoutEmptyData(secret);
  const encoded = Object.entries(stringData).map(([key, text]) => [key, base64(text)] as const);
  return { ...rest, data: { ...secret.data, ...Object.fromEntries(encoded) } } as S;
}

function withoutEmptyData<S extends Pick<z.infer<typeof secretFields>, 'data'>>(secret: S): S {
  if (secret.data === undefined || Object.keys(secret.data).length > 0) return secret;
  const { data: _, ...rest } = secret;
  return rest as S;
}

const secretFields = z.object({
  data: z.record(z.string(), z.string()).optional(),
  stringData: z.record(z.string(), z.string()).optional(),
});

function base64(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}
