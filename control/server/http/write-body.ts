import type { GroupVersionKind } from '../../../api/kinds/kind.ts';
import { strictDecodingError } from '../verbs/decode-object.ts';
import type { WriteRequest } from '../verbs/verb-context.ts';
import { type ParsedBody, UnreadableBodyError, unrecognized } from './body.ts';
import type { ApiCall } from './endpoint.ts';
import { agentName } from './field-manager.ts';
import { writeOptions } from './query-options.ts';

/** How this call wants to write. */
export function writeRequest({ info, query, user, warnings, request }: ApiCall): WriteRequest {
  const { fieldManager, ...options } = writeOptions(query, optionsKind(info.verb));
  const agent = request.headers['user-agent'];
  return { ...options, fieldManager: fieldManager ?? agentName(agent), user, warn: warnings.add };
}

/** The body of a write; fields given twice are treated as unknown ones are. Throws ApiError 400. */
export function writeBody(call: ApiCall, kind: GroupVersionKind): unknown {
  const body = readBody(call, kind);
  if (body.duplicates.length > 0) {
    const { fieldValidation } = writeOptions(call.query, optionsKind(call.info.verb));
    const sentences = body.duplicates.map((field) => `duplicate field ${JSON.stringify(field)}`);
    if (fieldValidation === 'Strict') throw strictDecodingError(kind, sentences);
    if (fieldValidation === 'Warn') for (const sentence of sentences) call.warnings.add(sentence);
  }
  return body.value;
}

function optionsKind(verb: string): string {
  return { update: 'UpdateOptions', patch: 'PatchOptions' }[verb] ?? 'CreateOptions';
}

function readBody({ body }: ApiCall, { kind }: GroupVersionKind): ParsedBody {
  try {
    const read = body();
    if (read !== undefined) return read;
  } catch (error) {
    if (error instanceof UnreadableBodyError) throw unrecognized(kind, error.message, error.body);
    throw error;
  }
  throw unrecognized(
    kind,
    "couldn't get version/kind; json parse error: unexpected end of JSON input",
    Buffer.alloc(0),
  );
}
