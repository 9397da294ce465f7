import type { Framing } from './body-reader.ts';
import type { ResponseHead } from './response-head.ts';

/** RFC 9112 section 6.3, for responses. */
export function responseFraming(head: ResponseHead, method: string): Framing {
  if (method === 'HEAD' || head.status === 204 || head.status === 304) return 'none';
  if (head.fields.chunked) return 'chunked';
  return head.fields.contentLength >= 0 ? 'length' : 'until-close';
}
