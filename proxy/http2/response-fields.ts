import { CONTENT_LENGTH } from '../http1/field-kind.ts';
import { MAX_HEAD_BYTES } from '../http1/limits.ts';
import {
  BAD_CONTENT_LENGTH,
  BAD_START_LINE,
  HEAD_TOO_LARGE,
  MALFORMED_FIELDS,
  type Rejection,
} from '../http1/rejection.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { FieldSink } from './hpack/decoder.ts';
import type { Field } from './hpack/field.ts';
import { NOT_IN_HTTP2 } from './request-fields.ts';

const TWO = 0x32;
const NO_BODY = 'content-length: 0\r\n';

/** Reads a response's header list into the head that the whole engine works on. Used again for each response. */
export class ResponseFields implements FieldSink {
  #head: ResponseHead | undefined = undefined;
  #asked: 'request' | 'tunnel' = 'request';
  #established = false;
  #fault: Rejection | undefined = undefined;
  #bytes = 0;

  /** `asked`: for a tunnel a 2xx is what 101 is in HTTP/1.1, and is read as such. */
  start(head: ResponseHead, asked: 'request' | 'tunnel'): void {
    this.#head = head;
    this.#asked = asked;
    this.#established = false;
    head.begin(0);
    this.#fault = undefined;
    this.#bytes = 0;
  }

  field(field: Field): void {
    this.#bytes += field.size;
    if (this.#bytes > MAX_HEAD_BYTES) this.#fault ??= HEAD_TOO_LARGE;
    if (!field.sound || (field.kind & NOT_IN_HTTP2) !== 0) this.#fault ??= MALFORMED_FIELDS;
    const head = this.#head;
    if (this.#fault !== undefined || head === undefined) return;
    if (field.pseudo === '') {
      if (head.status === 0) this.#fault = BAD_START_LINE;
      else this.#fault = head.fields.add(field.line, field.name.length, field.kind);
    } else if (field.pseudo === 'status' && head.status === 0 && /^[1-5]\d\d$/.test(field.value)) {
      this.#established = this.#asked === 'tunnel' && field.value.charCodeAt(0) === TWO;
      head.begin(this.#established ? 101 : Number(field.value));
    } else this.#fault = BAD_START_LINE;
  }

  /** `last`: nothing follows; `bodiless`: the answer to HEAD, whose length is only told. */
  finish(last: boolean, bodiless: boolean): Rejection | undefined {
    const head = this.#head;
    if (this.#fault !== undefined || head === undefined) return this.#fault;
    if (this.#established) return undefined;
    // RFC 9113 section 8.6: there is no 101.
    if (head.status === 0 || head.status === 101 || (head.status < 200 && last)) return BAD_START_LINE;
    if (!last || bodiless || head.status === 204 || head.status === 304) return undefined;
    if (head.fields.contentLength > 0) return BAD_CONTENT_LENGTH;
    // Clients of HTTP/1.1 have no other way to know.
    return head.fields.contentLength === 0 ? undefined : head.fields.add(NO_BODY, 14, CONTENT_LENGTH);
  }
}
