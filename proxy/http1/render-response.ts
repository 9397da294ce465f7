import type { CompiledEdits } from '../route/header-edits.ts';
import { CONTENT_LENGTH, HOP_BY_HOP, MESH_REASON } from './field-kind.ts';
import { keptText } from './render-request.ts';
import { ResponseHead } from './response-head.ts';

export interface ResponseShape {
  /** How the body's end is told to the client. */
  readonly framing: 'none' | 'length' | 'chunked' | 'until-close';
  /** Whole lines: `connection: close` and the like, or ''. */
  readonly connection: string;
}

/** The head that goes to the client. The status line's reason is kept; the version is ours. */
export function renderResponse(head: ResponseHead, shape: ResponseShape, edits: CompiledEdits | undefined): string {
  const { fields } = head;
  if (edits !== undefined) fields.removeNames(edits.removes);
  let drop = HOP_BY_HOP | MESH_REASON;
  // RFC 9110 section 8.6: neither 1xx nor 204 has a Content-Length; and a length never stands beside another framing.
  if (shape.framing === 'chunked' || shape.framing === 'until-close' || head.status < 200 || head.status === 204) {
    drop |= CONTENT_LENGTH;
  }
  let out = head.http10 ? `HTTP/1.1 ${keptText(fields, drop, ResponseHead.STATUS_AT)}` : keptText(fields, drop, 0);
  if (edits !== undefined) out += edits.adds;
  if (shape.framing === 'chunked') out += 'transfer-encoding: chunked\r\n';
  return `${out}${shape.connection}\r\n`;
}
