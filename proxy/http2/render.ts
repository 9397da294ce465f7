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

// Lines of an HTTP/1.1 head that have no place in a header list.
const DROPPED = new Set(['connection', 'transfer-encoding', 'upgrade', 'keep-alive', 'proxy-connection', 'te']);
// RFC 8441 section 5: the handshake of HTTP/1.1 proves what HTTP/2's settings have said; and what would be a body is the tunnel's.
const DROPPED_OF_TUNNEL = new Set([...DROPPED, 'sec-websocket-key', 'content-length']);

/** A request's header block, from the head that HTTP/1.1 would send (http1/render-request.ts). */
export function encodeRequest(head: string, { scheme, acceptsTrailers, protocol }: RequestShape): string {
  const methodEnd = head.indexOf(' ');
  const lineEnd = head.indexOf('\r\n');
  const method = head.slice(0, methodEnd);
  const target = head.slice(methodEnd + 1, lineEnd - ' HTTP/1.1'.length);
  const dropped = protocol === '' ? DROPPED : DROPPED_OF_TUNNEL;
  let authority = '';
  let fields = '';
  let at = lineEnd + 2;
  while (at < head.length) {
    const end = head.indexOf('\r\n', at);
    if (end <= at) break;
    const colon = head.indexOf(':', at);
    const name = head.slice(at, colon).toLowerCase();
    let start = colon + 1;
    while (head.charCodeAt(start) === 32 || head.charCodeAt(start) === 9) start++;
    let stop = end;
    while (stop > start && (head.charCodeAt(stop - 1) === 32 || head.charCodeAt(stop - 1) === 9)) stop--;
    if (name === 'host') authority = head.slice(start, stop);
    else if (!dropped.has(name)) fields += encodeField(name, head.slice(start, stop));
    at = end + 2;
  }
  if (protocol !== '') {
    const tunnel = encodeField(':method', 'CONNECT') + encodeField(':protocol', protocol);
    const where = encodeField(':scheme', scheme) + encodeField(':path', target) + encodeField(':authority', authority);
    return tunnel + where + fields;
  }
  let block = method === 'GET' ? METHOD_GET : method === 'POST' ? METHOD_POST : encodeField(':method', method);
  block += scheme === 'https' ? SCHEME_HTTPS : SCHEME_HTTP;
  block += target === '/' ? PATH_ROOT : encodeField(':path', target);
  if (authority !== '') block += encodeField(':authority', authority);
  return acceptsTrailers ? block + fields + encodeField('te', 'trailers') : block + fields;
}
