import { parseDocument } from 'yaml';
import { ApiError } from '../../../api/meta/api-error.ts';
import { readProtobuf } from '../protobuf/envelope.ts';
import { duplicateFields } from './duplicate-fields.ts';

/** A request's body as a value, and the fields that its text gave twice. */
export interface ParsedBody {
  readonly value: unknown;
  readonly duplicates: readonly string[];
}

/** More levels than any resource has; a document of brackets must not end the process. */
const MAX_DEPTH = 256;

/** More values than a body of JSON within the limit can have: what has more has multiplied itself, by aliases of YAML. */
const MAX_VALUES = 2_000_000;

const JSON_TYPES = [
  '',
  'application/json',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];
/** Read for what kubectl sends in no other form; answers are never written in it. */
const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';
const YAML_TYPES = ['application/yaml', 'application/x-yaml', 'text/yaml', 'application/apply-patch+yaml'];

/** Text that cannot be read: a 400, which whoever knows what was wanted tells as {@link unrecognized}. */
export class UnreadableBodyError extends ApiError {
  readonly body: Buffer;

  constructor(why: string, body: Buffer) {
    super(ApiError.badRequest(why).status);
    this.body = body;
  }
}

/** How much of a body its answer shows. */
const SHOWN_BYTES = 30;

/** A body that is no object of `kind` at all (transformDecodeError of k8s.io/apiserver/pkg/endpoints/handlers). */
export function unrecognized(kind: string, why: string, body: Buffer): ApiError {
  const isJson = body[0] === 0x7b;
  const shown = body.subarray(0, SHOWN_BYTES).toString(isJson ? 'utf8' : 'hex');
  const summary = body.length === 0 ? '<empty>' : `${shown}${body.length > SHOWN_BYTES ? ' ...' : ''}`;
  return ApiError.badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${summary})`);
}

/**
 * Throws {@link UnreadableBodyError} for text that cannot be read, ApiError 400 for what is hostile, 415 for a content type that is
 * neither JSON nor YAML.
 */
export function parseBody(body: Buffer, contentType: string | undefined): ParsedBody {
  const type = mediaType(contentType);
  if (type === PROTOBUF_TYPE) return checked({ value: readProtobuf(body), duplicates: [] });
  if (!JSON_TYPES.includes(type) && !YAML_TYPES.includes(type)) {
    throw ApiError.unsupportedMediaType(
      `the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf`,
    );
  }
  const text = decodeText(body);
  return checked(YAML_TYPES.includes(type) ? parseYaml(text, body) : parseJson(text, body));
}

function checked(parsed: ParsedBody): ParsedBody {
  refuseHostile(parsed.value, { depth: 0, count: { values: 0 } });
  return parsed;
}

/** The type alone, in lower case; empty when the header is missing. */
export function mediaType(contentType: string | undefined): string {
  return (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

function decodeText(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (error) {
    throw ApiError.badRequest(`the body is not UTF-8: ${String(error)}`);
  }
}

function isCutOff(words: string): boolean {
  return words === 'Unexpected end of JSON input' || words.startsWith('Unterminated string');
}

function parseJson(text: string, body: Buffer): ParsedBody {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new UnreadableBodyError(
      `couldn't get version/kind; json parse error: ${isCutOff(words) ? 'unexpected end of JSON input' : words}`,
      body,
    );
  }
  return { value, duplicates: duplicateFields(text) };
}

function parseYaml(text: string, body: Buffer): ParsedBody {
  try {
    const document = parseDocument(text, { merge: true, logLevel: 'silent', prettyErrors: true });
    const isDuplicate = ({ code }: { readonly code: string }): boolean => code === 'DUPLICATE_KEY';
    const [broken] = document.errors.filter((error) => !isDuplicate(error));
    if (broken !== undefined) throw broken;
    const duplicates = document.errors.filter(isDuplicate).map(({ linePos }) => `line ${linePos?.[0].line ?? 0}`);
    return { value: document.toJS() as unknown, duplicates };
  } catch (error) {
    throw new UnreadableBodyError(`yaml: ${error instanceof Error ? error.message : String(error)}`, body);
  }
}

interface Place {
  readonly depth: number;
  readonly count: { values: number };
}

/** A field of this name would become an object's prototype wherever objects are copied carelessly. */
function refuseHostile(value: unknown, { depth, count }: Place): void {
  count.values += 1;
  if (count.values > MAX_VALUES) throw ApiError.tooLarge(`the body has more than ${MAX_VALUES} values`);
  if (typeof value !== 'object' || value === null) return;
  if (depth > MAX_DEPTH) throw ApiError.badRequest(`the body is nested deeper than ${MAX_DEPTH} levels`);
  if (Object.hasOwn(value, '__proto__')) throw ApiError.badRequest('the body has a field "__proto__": not allowed');
  for (const child of Object.values(value)) refuseHostile(child, { depth: depth + 1, count });
}
