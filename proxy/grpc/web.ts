import type { RequestDraft } from '../filters/request-draft.ts';
import { CONTENT_LENGTH, CONTENT_TYPE } from '../http1/field-kind.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { CompiledEdits } from '../route/header-edits.ts';
import { callKind, kindOfType } from './call-kind.ts';

/** A gRPC-Web call that is to reach an application which speaks gRPC: which of its bodies are base64 text. */
export interface WebCall {
  readonly textRequest: boolean;
  readonly textResponse: boolean;
}

/** As Envoy's grpc_web filter: the request's form is in its content type, the wanted one of the answer in Accept. */
export function webCall(head: RequestHead): WebCall | undefined {
  if (head.method !== 'POST') return undefined;
  const kind = callKind(head.fields);
  if (kind !== 'web' && kind !== 'web-text') return undefined;
  const accepted = (head.header('accept') ?? '').split(',');
  return {
    textRequest: kind === 'web-text',
    textResponse: accepted.some((type) => kindOfType(type.trim()) === 'web-text'),
  };
}

/** The head becomes a gRPC request's. */
export function translateHead(draft: RequestDraft, { textRequest }: WebCall): void {
  const type = draft.head.fields.valueOf(CONTENT_TYPE) ?? '';
  draft.drop |= CONTENT_TYPE | (textRequest ? CONTENT_LENGTH : 0);
  draft.added += `content-type: application/grpc${serialisation(type)}\r\n`;
}

/** What of an answer's head changes; its length is a matter of framing. A route's own edits have the last word. */
export function responseEdits(contentType: string, call: WebCall, edits: CompiledEdits | undefined): CompiledEdits {
  const type = `application/grpc-web${call.textResponse ? '-text' : ''}${serialisation(contentType)}`;
  const removes = new Set(['content-type', ...(edits?.removes ?? [])]);
  const own = edits?.removes.has('content-type') === true ? '' : `content-type: ${type}\r\n`;
  return { removes, adds: own + (edits?.adds ?? '') };
}

/** `+proto` where the content type names none: browsers' clients ask for it by name. */
function serialisation(contentType: string): string {
  const [, suffix = '+proto'] = /^[^+;]*(\+[!#$%&'*+\-.^_`|~0-9A-Za-z]+)/.exec(contentType) ?? [];
  return suffix;
}

const TRAILERS = 0x80;
const PREFIX_BYTES = 5;

/** Trailers, lines with their CRLF, as the last message of the body (PROTOCOL-WEB.md); to the byte as Envoy writes it. */
export function trailersMessage(trailers: string): Buffer {
  const lines = trailers.replaceAll(/^([^:\r\n]+): /gm, '$1:');
  const message = Buffer.allocUnsafe(PREFIX_BYTES + lines.length);
  message.writeUInt8(TRAILERS, 0);
  message.writeUInt32BE(lines.length, 1);
  message.write(lines, PREFIX_BYTES, 'latin1');
  return message;
}
