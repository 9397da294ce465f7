import { z } from 'zod';
import type { Kind } from '../../../api/kinds/kind.ts';

/** A schema of OpenAPI 3.0, as far as clients of Kubernetes read it. */
export type OpenApiSchema = Readonly<Record<string, unknown>>;

/**
 * The schema of a kind: JSON Schema of what a client may send, put into the words of OpenAPI 3.0. Descriptions and the
 * x-kubernetes extensions come with zod's metadata.
 */
export function kindSchema({
  schema,
  group,
  version,
  kind,
}: Pick<Kind, 'schema' | 'group' | 'version' | 'kind'>): OpenApiSchema {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline', cycles: 'ref' });
  return {
    ...(openApi(json) as OpenApiSchema),
    'x-kubernetes-group-version-kind': [{ group, version, kind }],
  };
}

/** `io.k8s.api.apps.v1.Deployment`: as Kubernetes names them, so that tools which know the names find them. */
export function componentName({ group, version, kind }: Pick<Kind, 'group' | 'version' | 'kind'>): string {
  if (group === '') return `io.k8s.api.core.${version}.${kind}`;
  if (!group.includes('.')) return `io.k8s.api.${group}.${version}.${kind}`;
  if (group.endsWith('.k8s.io') && !group.startsWith('gateway.')) {
    return `io.k8s.api.${group.slice(0, group.indexOf('.'))}.${version}.${kind}`;
  }
  return `${group.split('.').reverse().join('.')}.${version}.${kind}`;
}

/** JSON Schema 2020-12 that OpenAPI 3.0 has no word for, or that says nothing to a reader. */
const DROPPED = ['$schema', 'propertyNames', 'additionalProperties', 'const', 'pattern'];

function openApi(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(openApi);
  if (typeof node !== 'object' || node === null) return node;
  const schema = node as OpenApiSchema;
  const entries = Object.entries(schema)
    .filter(([key]) => !DROPPED.includes(key))
    .map(rewritten);
  const rewrittenSchema = Object.fromEntries(entries);
  return { ...rewrittenSchema, ...additional(schema), ...constant(schema), ...typed(schema), ...bounded(schema) };
}

function rewritten([key, value]: readonly [string, unknown]): readonly [string, unknown] {
  if (key !== 'properties') return [key, key.startsWith('x-') || key === 'default' ? value : openApi(value)];
  const properties = Object.entries(value as OpenApiSchema).map(([name, schema]) => [name, openApi(schema)] as const);
  return [key, Object.fromEntries(properties)];
}

/** Maps have a schema for their values; that other objects take nothing more, Kubernetes' documents do not say. */
function additional({ additionalProperties }: OpenApiSchema): OpenApiSchema {
  return typeof additionalProperties === 'object' ? { additionalProperties: openApi(additionalProperties) } : {};
}

function constant({ const: value }: OpenApiSchema): OpenApiSchema {
  return value === undefined ? {} : { enum: [value] };
}

/** A value that may be a number or text: Kubernetes' int-or-string. OpenAPI 3.0 has one type a schema. */
function typed({ type, anyOf }: OpenApiSchema): OpenApiSchema {
  const types = Array.isArray(type) ? (type as readonly string[]) : alternatives(anyOf);
  const both = types.includes('string') && (types.includes('integer') || types.includes('number'));
  if (both)
    return {
      type: undefined,
      anyOf: undefined,
      format: 'int-or-string',
      oneOf: [{ type: 'integer' }, { type: 'string' }],
    };
  return Array.isArray(type) ? { type: types[0] } : {};
}

function alternatives(anyOf: unknown): readonly string[] {
  if (!Array.isArray(anyOf)) return [];
  return (anyOf as readonly OpenApiSchema[]).map(({ type }) => (typeof type === 'string' ? type : ''));
}

const INT32_MAX = 2 ** 31 - 1;

/** zod bounds every integer by what a double holds exactly: that is no rule of the field. */
function bounded({ type, minimum, maximum }: OpenApiSchema): OpenApiSchema {
  if (type !== 'integer') return {};
  if (minimum === -INT32_MAX - 1 && maximum === INT32_MAX)
    return { format: 'int32', minimum: undefined, maximum: undefined };
  return {
    format: 'int64',
    minimum: minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum,
    maximum: maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum,
  };
}
