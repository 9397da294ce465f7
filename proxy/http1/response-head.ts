import { CR, FIELD_VALUE, LF } from './grammar.ts';
import { HeadFields } from './head-fields.ts';
import { phrase } from './phrase.ts';
import { AMBIGUOUS_LENGTH, BAD_START_LINE, OLD_TRANSFER_ENCODING, type Rejection } from './rejection.ts';

/** A response's head. Used again for each response, as RequestHead. */
export class ResponseHead {
  readonly fields = new HeadFields();
  status = 0;
  http10 = false;
  /** Offset of the status code; the line from there is forwarded as it is. */
  static readonly STATUS_AT = 9;

  scan(text: string, end: number): Rejection | undefined {
    const lineEnd = this.#scanStatusLine(text);
    if (lineEnd < 0) return BAD_START_LINE;
    return this.fields.scan(text, lineEnd, end) ?? this.#checkFraming();
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

  /** Offset behind the status line, or -1. */
  #scanStatusLine(text: string): number {
    if (!text.startsWith('HTTP/1.')) return -1;
    const minor = text.charCodeAt(7) - 48;
    if ((minor !== 0 && minor !== 1) || text.charCodeAt(8) !== 32) return -1;
    const hundreds = text.charCodeAt(9) - 48;
    const tens = text.charCodeAt(10) - 48;
    const ones = text.charCodeAt(11) - 48;
    if (hundreds < 1 || hundreds > 5 || !(tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9)) return -1;
    this.http10 = minor === 0;
    this.status = hundreds * 100 + tens * 10 + ones;
    // The space before an empty reason is often missing.
    let at = 12;
    const separator = text.charCodeAt(at);
    if (separator !== 32 && separator !== CR) return -1;
    while (FIELD_VALUE[text.charCodeAt(at)] === 1) at++;
    return text.charCodeAt(at) === CR && text.charCodeAt(at + 1) === LF ? at + 2 : -1;
  }

  #checkFraming(): Rejection | undefined {
    if (!this.fields.chunked) return undefined;
    if (this.http10) return OLD_TRANSFER_ENCODING;
    return this.fields.contentLength >= 0 ? AMBIGUOUS_LENGTH : undefined;
  }
}
