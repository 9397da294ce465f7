import type { z } from 'zod';
import { allErrors } from '../../../api/kinds/all-errors.ts';
import { type Decoded, decode } from '../../../api/kinds/decode.ts';
import { apiVersionOf, type GroupVersionKind } from '../../../api/kinds/kind.ts';
import { kindOf } from '../../../api/kinds/registry.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { fieldInvalid } from '../../../api/meta/field-error.ts';
import { withUnchecked } from '../../../api/meta/openapi-issues.ts';
import type { FieldError } from '../../../api/meta/status.ts';
import { isObject, type JsonObject } from '../../../api/patch/json.ts';
import type { WriteRequest } from './verb-context.ts';

/** A type that clients send: a stored kind, or a question such as a review. */
export interface Decodable<T> extends GroupVersionKind {
  readonly schema: z.ZodType<T>;
  /** These as of a {@link Kind}. */
  readonly custom?: boolean;
  readonly validate?: (object: T, old: T | undefined) => readonly FieldError[];
}

/**
 * A client's document as an object of the kind, checked and with defaults filled. Throws 400 for what is not an object of
 * this kind, has a value of another type than its field or, under strict validation, has unknown fields; 422 with a cause per
 * field for values that are not allowed.
 */
export function decodeObject<T>(kind: Decodable<T>, input: unknown, request: UnknownFields): T {
  const { custom = false } = kind;
  const document = requireIdentity(kind, input, request);
  const decoded = decode(kind.schema, document, { custom });
  reportUnknown(kind, decoded.unknown, request);
  if (decoded.ok) return decoded.object;
  const unreadable = decoded.errors.filter(
    ({ type, field }) => type === 'FieldValueTypeInvalid' && isDecoded(field, custom),
  );
  if (unreadable.length > 0)
    throw undecodable(kind, unreadable.map(({ field, message }) => `${field}: ${message}`).join(', '));
  throw ApiError.invalid(kind, nameOf(document), errorsOf(kind, decoded));
}

function errorsOf<T>(
  { schema, custom = false, validate }: Decodable<T>,
  { errors, known }: Extract<Decoded<T>, { ok: false }>,
): readonly FieldError[] {
  if (custom) return withUnchecked(errors);
  return validate === undefined ? errors : allErrors({ schema, validate }, known);
}

/** Of a custom kind only the metadata has types of its own; the rest is judged by the schema. */
function isDecoded(field: string, custom: boolean): boolean {
  return !custom || /^metadata(?:\.|$)/.test(field);
}

/** What a body does not say of its type, the path says for it; what it says must be the same (the decoder's default type). */
function requireIdentity<T>(kind: Decodable<T>, input: unknown, request: UnknownFields): JsonObject {
  const body = input === null ? {} : input;
  if (!isObject(body)) throw ApiError.badRequest(`the body is not a JSON object: a ${kind.kind} was wanted`);
  const expected = { apiVersion: apiVersionOf(kind), kind: kind.kind };
  const given = { apiVersion: body['apiVersion'] || expected.apiVersion, kind: body['kind'] || expected.kind };
  if (given.kind !== expected.kind || given.apiVersion !== expected.apiVersion) {
    if (kind.custom === true) reportOddMetadata(kind, body, request);
    throw otherKind(kind, body, { apiVersion: asText(given.apiVersion), kind: asText(given.kind) });
  }
  return { ...body, ...expected };
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function otherKind<T>(
  kind: Decodable<T>,
  document: JsonObject,
  given: { readonly apiVersion: string; readonly kind: string },
): ApiError {
  const expected = apiVersionOf(kind);
  if (kind.custom === true && given.apiVersion !== expected) {
    return ApiError.badRequest(
      `the API version in the data (${given.apiVersion}) does not match the expected API version (${expected})`,
    );
  }
  if (kind.custom === true) {
    const error = fieldInvalid('kind', given.kind, `must be ${kind.kind}`);
    return ApiError.invalid({ group: kind.group, kind: given.kind }, nameOf(document), [error]);
  }
  const version = given.apiVersion.slice(given.apiVersion.indexOf('/') + 1);
  const why =
    kindOf(given.apiVersion, given.kind) === undefined
      ? `no kind ${JSON.stringify(given.kind)} is registered for version ${JSON.stringify(given.apiVersion)}`
      : `converting (${version}.${given.kind}) to (${kind.group || 'core'}.${kind.kind}): unknown conversion`;
  return ApiError.badRequest(
    `${given.kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind.kind}: ${why}`,
  );
}

/** Of a custom kind the metadata is read first, whatever the kind turns out to be. */
function reportOddMetadata<T>(kind: Decodable<T>, body: JsonObject, request: UnknownFields): void {
  const { unknown } = decode(kind.schema, { ...body, apiVersion: apiVersionOf(kind), kind: kind.kind });
  reportUnknown(
    kind,
    unknown.filter(({ field }) => field.startsWith('metadata.')),
    request,
  );
}

type UnknownFields = Pick<WriteRequest, 'fieldValidation' | 'warn'>;

function reportUnknown(
  kind: GroupVersionKind,
  unknown: readonly FieldError[],
  { fieldValidation, warn }: UnknownFields,
): void {
  if (unknown.length === 0) return;
  if (fieldValidation === 'Ignore') return;
  const sentences = unknown.map(({ field }) => `unknown field "${field}"`);
  if (fieldValidation === 'Strict') throw strictDecodingError(kind, sentences);
  for (const sentence of sentences) warn(sentence);
}

/** What kube-apiserver answers under fieldValidation=Strict (runtime.NewStrictDecodingError). */
export function strictDecodingError(kind: GroupVersionKind, sentences: readonly string[]): ApiError {
  return undecodable(kind, `strict decoding error: ${sentences.join(', ')}`);
}

/** A body that cannot be read as an object of its own kind (runtime.NewNotRegisteredErrForKind and its siblings). */
function undecodable(kind: GroupVersionKind, why: string): ApiError {
  return ApiError.badRequest(`${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${why}`);
}

function nameOf(document: JsonObject): string {
  const { metadata } = document;
  return isObject(metadata) && typeof metadata['name'] === 'string' ? metadata['name'] : '';
}
