import type { z } from 'zod';
import { decode } from '../../../api/kinds/decode.ts';
import { apiVersionOf, type GroupVersionKind } from '../../../api/kinds/kind.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import type { FieldError } from '../../../api/meta/status.ts';
import { isObject, type JsonObject } from '../../../api/patch/json.ts';
import type { WriteRequest } from './verb-context.ts';

/** A type that clients send: a stored kind, or a question such as a review. */
export interface Decodable<T> extends GroupVersionKind {
  readonly schema: z.ZodType<T>;
}

/**
 * A client's document as an object of the kind, checked and with defaults filled. Throws 400 for what is not an object of
 * this kind or, under strict validation, has unknown fields; 422 with a cause per field for values that are not allowed.
 */
export function decodeObject<T>(
  kind: Decodable<T>,
  input: unknown,
  request: Pick<WriteRequest, 'fieldValidation' | 'warn'>,
): T {
  const document = requireIdentity(kind, input);
  const decoded = decode(kind.schema, document);
  if (decoded.unknown.length > 0) reportUnknown(kind, decoded.unknown, request);
  if (decoded.ok) return decoded.object;
  throw ApiError.invalid(kind, nameOf(document), decoded.errors);
}

/** What a body does not say of its type, the path says for it; what it says must be the same (the decoder's default type). */
function requireIdentity(kind: GroupVersionKind, input: unknown): JsonObject {
  if (!isObject(input)) throw ApiError.badRequest(`the body is not a JSON object: a ${kind.kind} was wanted`);
  const expected = { apiVersion: apiVersionOf(kind), kind: kind.kind };
  const given = { apiVersion: input['apiVersion'] || expected.apiVersion, kind: input['kind'] || expected.kind };
  if (given.kind !== expected.kind || given.apiVersion !== expected.apiVersion) {
    throw ApiError.badRequest(
      `${JSON.stringify(given.kind)} in version ${JSON.stringify(given.apiVersion)} cannot be handled as a ${kind.kind} in version "${expected.apiVersion}"`,
    );
  }
  return { ...input, ...expected };
}

function reportUnknown(
  kind: GroupVersionKind,
  unknown: readonly FieldError[],
  { fieldValidation, warn }: Pick<WriteRequest, 'fieldValidation' | 'warn'>,
): void {
  if (fieldValidation === 'Ignore') return;
  const sentences = unknown.map(({ field }) => `unknown field "${field}"`);
  if (fieldValidation === 'Strict') throw strictDecodingError(kind, sentences);
  for (const sentence of sentences) warn(sentence);
}

/** What kube-apiserver answers under fieldValidation=Strict (runtime.NewStrictDecodingError). */
export function strictDecodingError(kind: GroupVersionKind, sentences: readonly string[]): ApiError {
  const head = `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}`;
  return ApiError.badRequest(`${head}: strict decoding error: ${sentences.join(', ')}`);
}

function nameOf(document: JsonObject): string {
  const { metadata } = document;
  return isObject(metadata) && typeof metadata['name'] === 'string' ? metadata['name'] : '';
}
