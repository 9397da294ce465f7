import { BAD_START_LINE, type Rejection } from '../http1/rejection.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { ResponseHead } from '../http1/response-head.ts';

const BEFORE = 'before\r\n\r\n';
const BEHIND = 'Host: behind\r\nContent-Length: 7\r\n\r\n';

/** Reads the first head of a text, which is whole, as a connection does: from memory in which other bytes stand before and behind it. */
export function scanText(head: RequestHead | ResponseHead, text: string): Rejection | undefined {
  const length = text.indexOf('\r\n\r\n') + 4;
  const memory = Buffer.from(BEFORE + text.slice(0, length) + BEHIND, 'latin1');
  const end = BEFORE.length + length;
  const behind = head.scan(memory, BEFORE.length, end);
  if (behind === end) return undefined;
  if (behind >= 0) throw new Error(`a head that ends at ${end} was read to ${behind}`);
  return head.fault ?? BAD_START_LINE;
}
