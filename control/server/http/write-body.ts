import type { GroupVersionKind } from '../../../api/kinds/kind.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { strictDecodingError } from '../verbs/decode-object.ts';
import type { WriteRequest } from '../verbs/verb-context.ts';
import type { ApiCall } from './endpoint.ts';
import { agentName } from './field-manager.ts';
import { writeOptions } from './query-options.ts';

/** How this call wants to write. */
export function writeRequest({ query, user, warnings, request }: ApiCall): WriteRequest {
  const { fieldManager, ...options } = writeOptions(query);
  const agent = request.headers['user-agent'];
  return { ...options, fieldManager: fieldManager ?? agentName(agent), user, warn: warnings.add };
}

/** The body of a write; fields given twice are treated as unknown ones are. Throws ApiError 400. */
export function writeBody(call: ApiCall, kind: GroupVersionKind): unknown {
  const body = call.body();
  if (body === undefined) throw ApiError.badRequest(`the body is empty: a ${kind.kind} was wanted`);
  if (body.duplicates.length > 0) {
    const { fieldValidation } = writeOptions(call.query);
    const sentences = body.duplicates.map((field) => `duplicate field ${JSON.stringify(field)}`);
    if (fieldValidation === 'Strict') throw strictDecodingError(kind, sentences);
    if (fieldValidation === 'Warn') for (const sentence of sentences) call.warnings.add(sentence);
  }
  return body.value;
}
