import { CONTENT_LENGTH, HOP_BY_HOP, MESH_REASON } from '../http1/field-kind.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { CompiledEdits } from '../route/header-edits.ts';
import {
  encodeField,
  encodeLines,
  encodeStatus,
  METHOD_GET,
  METHOD_POST,
  PATH_ROOT,
  SCHEME_HTTP,
  SCHEME_HTTPS,
} from './hpack/encoder.ts';
import { KeptHeads, type KeptLines } from './kept-lines.ts';

/** A response's header block, straight from the head as the engine has it. */
export function encodeResponse(
  head: ResponseHead,
  edits: CompiledEdits | undefined,
  status: number = head.status,
): string {
  const { fields } = head;
  if (edits !== undefined) fields.removeNames(edits.removes);
  // RFC 9110 section 8.6: neither 1xx nor 204 has a Content-Length.
  const drop = HOP_BY_HOP | MESH_REASON | (head.status < 200 || head.status === 204 ? CONTENT_LENGTH : 0);
  let block = encodeStatus(status);
  for (let index = 0; index < fields.count; index++) {
    if (((fields.kinds[index] ?? 0) & drop) === 0)
      block += encodeField(fields.name(index).toLowerCase(), fields.value(index));
  }
  return edits === undefined ? block : block + encodeLines(edits.adds);
}

/** An answer of the proxy's own. `lines` with their CRLF. */
export function encodeOwnHead(status: number, lines: string): string {
  return encodeStatus(status) + encodeLines(lines);
}

export interface RequestShape {
  readonly scheme: 'http' | 'https';
  /** The client reads trailers: RFC 9113 section 8.2.2 lets `te` say that, and gRPC asks for it. */
  readonly acceptsTrailers: boolean;
  /** What an extended CONNECT is for (RFC 8441), or ''. */
  readonly protocol: string;
}

const TE_TRAILERS = encodeField('te', 'trailers');

// Lines of an HTTP/1.1 head that have no place in a header list.
const DROPPED = new Set(['connection', 'transfer-encoding', 'upgrade', 'keep-alive', 'proxy-connection', 'te']);
// RFC 8441 section 5: the handshake of HTTP/1.1 proves what HTTP/2's settings have said; and what would be a body is the tunnel's.
const DROPPED_OF_TUNNEL = new Set([...DROPPED, 'sec-websocket-key', 'content-length']);

/** They differ from call to call, or are secrets: what stands before the first of them may be kept. */
const NOT_KEPT = new Set([
  'x-request-id',
  'traceparent',
  'tracestate',
  'baggage',
  'grpc-timeout',
  'grpc-trace-bin',
  'content-length',
  'authorization',
  'proxy-authorization',
  'cookie',
]);

const keptHeads = new KeptHeads();

/** A request's header block, from the head that HTTP/1.1 would send (http1/render-request.ts). */
export function encodeRequest(head: string, { scheme, acceptsTrailers, protocol }: RequestShape): string {
  const methodEnd = head.indexOf(' ');
  const lineEnd = head.indexOf('\r\n');
  const method = head.slice(0, methodEnd);
  const target = head.slice(methodEnd + 1, lineEnd - ' HTTP/1.1'.length);
  if (protocol !== '') {
    const { authority, fields } = encodeHeadLines(head, lineEnd + 2, DROPPED_OF_TUNNEL, undefined);
    const tunnel = encodeField(':method', 'CONNECT') + encodeField(':protocol', protocol);
    const where = encodeField(':scheme', scheme) + encodeField(':path', target) + authority;
    return tunnel + where + fields;
  }
  const { authority, fields } = encodeHeadLines(head, lineEnd + 2, DROPPED, keptHeads);
  let block = method === 'GET' ? METHOD_GET : method === 'POST' ? METHOD_POST : encodeField(':method', method);
  block += scheme === 'https' ? SCHEME_HTTPS : SCHEME_HTTP;
  block += target === '/' ? PATH_ROOT : encodeField(':path', target);
  block += authority + fields;
  return acceptsTrailers ? block + TE_TRAILERS : block;
}

/** A head's lines from `start` on, to its empty one or the end. Exported for its test. */
export function encodeHeadLines(
  head: string,
  start: number,
  dropped: ReadonlySet<string>,
  kept: KeptHeads | undefined,
): Pick<KeptLines, 'authority' | 'fields'> {
  const known = kept?.find(head, start);
  let authority = known?.authority ?? '';
  let fields = known?.fields ?? '';
  const unknownAt = start + (known?.lines.length ?? 0);
  let at = unknownAt;
  let toKeep = kept;
  while (at < head.length) {
    const end = head.indexOf('\r\n', at);
    if (end <= at) break;
    const colon = head.indexOf(':', at);
    const name = head.slice(at, colon).toLowerCase();
    if (toKeep !== undefined && NOT_KEPT.has(name)) {
      if (at > unknownAt) toKeep.saw({ lines: head.slice(start, at), authority, fields });
      toKeep = undefined;
    }
    let valueStart = colon + 1;
    while (head.charCodeAt(valueStart) === 32 || head.charCodeAt(valueStart) === 9) valueStart++;
    let stop = end;
    while (stop > valueStart && (head.charCodeAt(stop - 1) === 32 || head.charCodeAt(stop - 1) === 9)) stop--;
    if (name === 'host') authority = encodeField(':authority', head.slice(valueStart, stop));
    else if (!dropped.has(name)) fields += encodeField(name, head.slice(valueStart, stop));
    at = end + 2;
  }
  if (at > unknownAt) toKeep?.saw({ lines: head.slice(start, at), authority, fields });
  return { authority, fields };
}
