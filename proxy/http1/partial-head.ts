import { CR, TOKEN } from './grammar.ts';
import { MAX_METHOD_BYTES, MAX_REQUEST_LINE_BYTES } from './limits.ts';
import { BAD_METHOD, BARE_LINE_FEED, HEAD_TOO_LARGE, NOT_HTTP, type Rejection, TARGET_TOO_LONG } from './rejection.ts';

/**
 * What is wrong with a request head that has not ended yet: what can never become one is refused at once (a TLS record, binary
 * garbage, lines that end in a bare LF and so would wait for an empty line for ever), and so is one that has grown too large.
 * `seen`: so much of it has been looked at before. A head that comes a byte at a time must not be read through for each byte.
 */
export function partialHeadFault(text: string, seen: number, maxBytes: number): Rejection | undefined {
  let method = 0;
  while (method < text.length && TOKEN[text.charCodeAt(method)] === 1) method++;
  if (method > MAX_METHOD_BYTES) return BAD_METHOD;
  if (method < text.length && (method === 0 || text.charCodeAt(method) !== 32))
    return method === 0 ? NOT_HTTP : BAD_METHOD;
  for (let at = text.indexOf('\n', seen); at >= 0; at = text.indexOf('\n', at + 1)) {
    if (text.charCodeAt(at - 1) !== CR) return BARE_LINE_FEED;
  }
  const line = text.indexOf('\r\n');
  if ((line < 0 ? text.length : line) > MAX_REQUEST_LINE_BYTES) return TARGET_TOO_LONG;
  return text.length >= maxBytes ? HEAD_TOO_LARGE : undefined;
}

/** Of an answer: an upstream that sends no head is waited for, up to the time of a try. */
export function responseTooLarge(text: string, _seen: number, maxBytes: number): Rejection | undefined {
  return text.length >= maxBytes ? HEAD_TOO_LARGE : undefined;
}
