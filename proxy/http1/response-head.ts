import { CR, isFieldValue, LF } from './grammar.ts';
import { HeadFields } from './head-fields.ts';
import { phrase } from './phrase.ts';
import { AMBIGUOUS_LENGTH, BAD_START_LINE, OLD_TRANSFER_ENCODING, type Rejection } from './rejection.ts';

const VERSION = Uint8Array.from('HTTP/1.', (char) => char.charCodeAt(0));
/** `HTTP/1.1 200` and the line's end. */
const SHORTEST_LINE = 14;
const REFUSED = -1;
const PARTIAL = -2;

/** A response's head. Used again for each response, as RequestHead. */
export class ResponseHead {
  readonly fields = new HeadFields();
  status = 0;
  http10 = false;
  /** Offset of the status code; the line from there is forwarded as it is. */
  static readonly STATUS_AT = 9;

  /** What is wrong with the head that was scanned last; undefined when it was sound, or not whole. */
  fault: Rejection | undefined = undefined;

  /** As RequestHead.scan. */
  scan(from: Buffer, start: number, end: number): number {
    this.fault = undefined;
    const fieldsStart = this.#scanStatusLine(from, start, end);
    if (fieldsStart < 0) {
      if (fieldsStart === REFUSED) this.fault = BAD_START_LINE;
      return -1;
    }
    const behind = this.fields.scan(from, start, fieldsStart, end);
    this.fault = behind < 0 ? this.fields.fault : this.#checkFraming();
    return this.fault === undefined ? behind : -1;
  }

  /** A head that does not come as text: its fields are added to `fields` afterwards. */
  begin(status: number): void {
    this.status = status;
    this.http10 = false;
    this.fields.begin(`HTTP/1.1 ${status} ${phrase(status)}\r\n`);
  }

  /** The server will take another request on this connection. */
  get keepAlive(): boolean {
    return this.http10 ? this.fields.connectionKeepAlive && !this.fields.connectionClose : !this.fields.connectionClose;
  }

  /** Offset behind the status line, REFUSED or PARTIAL. */
  #scanStatusLine(from: Buffer, start: number, end: number): number {
    if (end - start < SHORTEST_LINE) return PARTIAL;
    for (let at = 0; at < VERSION.length; at++) if (from[start + at] !== VERSION[at]) return REFUSED;
    const minor = (from[start + 7] ?? 0) - 48;
    if ((minor !== 0 && minor !== 1) || from[start + 8] !== 32) return REFUSED;
    const hundreds = (from[start + 9] ?? 0) - 48;
    const tens = (from[start + 10] ?? 0) - 48;
    const ones = (from[start + 11] ?? 0) - 48;
    if (hundreds < 1 || hundreds > 5 || !(tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9)) return REFUSED;
    this.http10 = minor === 0;
    this.status = hundreds * 100 + tens * 10 + ones;
    // The space before an empty reason is often missing.
    let at = start + 12;
    const separator = from[at];
    if (separator !== 32 && separator !== CR) return REFUSED;
    while (at < end && isFieldValue(from[at] ?? 0)) at++;
    if (at + 1 >= end) return PARTIAL;
    return from[at] === CR && from[at + 1] === LF ? at + 2 : REFUSED;
  }

  #checkFraming(): Rejection | undefined {
    if (!this.fields.chunked) return undefined;
    if (this.http10) return OLD_TRANSFER_ENCODING;
    return this.fields.contentLength >= 0 ? AMBIGUOUS_LENGTH : undefined;
  }
}
