import {
  CONNECTION,
  CONTENT_LENGTH,
  COOKIE,
  HOST,
  KEEP_ALIVE,
  PROXY_CONNECTION,
  TE,
  TRANSFER_ENCODING,
  UPGRADE,
} from '../http1/field-kind.ts';
import { TOKEN } from '../http1/grammar.ts';
import { MAX_HEAD_BYTES, MAX_METHOD_BYTES } from '../http1/limits.ts';
import { BAD_METHOD, HEAD_TOO_LARGE, MISSING_HOST, type Rejection, UNKNOWN_PROTOCOL } from '../http1/rejection.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { FieldSink } from './hpack/decoder.ts';
import type { Field } from './hpack/field.ts';

/** They speak of one connection, which HTTP/2 has its own words for (RFC 9113 section 8.2.2). */
export const NOT_IN_HTTP2 = CONNECTION | KEEP_ALIVE | PROXY_CONNECTION | TRANSFER_ENCODING | UPGRADE;

const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*$/;

const HANDSHAKE: ReadonlySet<string> = new Set(['sec-websocket-key']);

/** What becomes of a head: a request to go on with, an answer of our own, or a stream error (RFC 9113 section 8.1.1). */
export type HeadVerdict = 'sound' | 'malformed' | Rejection;

/** Reads a request's header list into the head that the whole engine works on. Used again for each request. */
export class RequestFields implements FieldSink {
  #head: RequestHead | undefined = undefined;
  #method = '';
  #scheme = '';
  #authority = '';
  #path = '';
  #protocol = '';
  #malformed = false;
  #rejection: Rejection | undefined = undefined;
  #regularSeen = false;
  #cookies = '';
  #bytes = 0;

  start(head: RequestHead): void {
    this.#head = head;
    head.fields.begin('');
    this.#method = '';
    this.#scheme = '';
    this.#authority = '';
    this.#path = '';
    this.#protocol = '';
    this.#malformed = false;
    this.#rejection = undefined;
    this.#regularSeen = false;
    this.#cookies = '';
    this.#bytes = 0;
  }

  field(field: Field): void {
    this.#bytes += field.size;
    if (this.#bytes > MAX_HEAD_BYTES) this.#rejection ??= HEAD_TOO_LARGE;
    if (!field.sound) this.#malformed = true;
    if (this.#malformed || this.#rejection !== undefined) return;
    if (field.pseudo === '') this.#regular(field);
    else if (this.#regularSeen) this.#malformed = true;
    else this.#pseudo(field);
  }

  /** `last`: the request has no body. */
  finish(last: boolean): HeadVerdict {
    const head = this.#head;
    if (head === undefined || this.#malformed) return 'malformed';
    if (this.#rejection !== undefined) return this.#rejection;
    const shape = this.#checkPseudo(head);
    if (shape !== 'sound') return shape;
    if (this.#cookies !== '') {
      const fault = head.fields.add(`cookie: ${this.#cookies}\r\n`, 6, COOKIE);
      if (fault !== undefined) return fault;
    }
    if (last && head.fields.contentLength > 0) return 'malformed';
    if (this.#protocol !== '') return this.#takeWebSocket(head);
    if (this.#method === 'CONNECT') return this.#takeConnect(head);
    head.fields.chunked = !last && head.fields.contentLength < 0;
    return head.take(this.#method, this.#path, this.#authority) ?? 'sound';
  }

  /** What follows is the tunnel's, no body. */
  #takeWebSocket(head: RequestHead): HeadVerdict {
    if (head.fields.contentLength >= 0) return 'malformed';
    // RFC 8441 section 5: it means nothing here, and where it does mean something we bring our own.
    head.fields.removeNames(HANDSHAKE);
    const fault = head.take('GET', this.#path, this.#authority);
    head.extendedConnect = true;
    return fault ?? (this.#protocol === 'websocket' ? 'sound' : UNKNOWN_PROTOCOL);
  }

  /** Section 8.5: what follows is the tunnel's. */
  #takeConnect(head: RequestHead): HeadVerdict {
    if (head.fields.contentLength >= 0) return 'malformed';
    return head.take('CONNECT', this.#authority, this.#authority) ?? 'sound';
  }

  #regular(field: Field): void {
    this.#regularSeen = true;
    const { kind } = field;
    if ((kind & NOT_IN_HTTP2) !== 0 || (kind === TE && field.value.toLowerCase() !== 'trailers')) {
      this.#malformed = true;
    } else if (kind === COOKIE) {
      // Section 8.2.3: one field again before it goes where there is only one.
      this.#cookies = this.#cookies === '' ? field.value : `${this.#cookies}; ${field.value}`;
    } else {
      const fault = this.#head?.fields.add(field.line, field.name.length, kind);
      // Which of two is meant nobody knows: section 8.1.1 has no gentler word for it.
      if (fault !== undefined && (kind & (HOST | CONTENT_LENGTH)) !== 0) this.#malformed = true;
      else this.#rejection = fault;
    }
  }

  #pseudo({ pseudo, value }: Field): void {
    switch (pseudo) {
      case 'method':
        this.#malformed ||= this.#method !== '' || value === '';
        this.#method = value;
        break;
      case 'scheme':
        this.#malformed ||= this.#scheme !== '' || !SCHEME.test(value);
        this.#scheme = value;
        break;
      case 'path':
        this.#malformed ||= this.#path !== '' || value === '';
        this.#path = value;
        break;
      case 'authority':
        this.#malformed ||= this.#authority !== '' || value === '';
        this.#authority = value;
        break;
      case 'protocol':
        this.#malformed ||= this.#protocol !== '' || value === '';
        this.#protocol = value.toLowerCase();
        break;
      default:
        this.#malformed = true;
    }
  }

  #checkPseudo(head: RequestHead): HeadVerdict {
    const method = this.#method;
    if (method === '') return 'malformed';
    for (let at = 0; at < method.length; at++) if (TOKEN[method.charCodeAt(at)] !== 1) return 'malformed';
    if (method.length > MAX_METHOD_BYTES) return BAD_METHOD;
    if (this.#protocol !== '') {
      // RFC 8441 section 4: of all methods CONNECT alone, with everything that a request has.
      if (method !== 'CONNECT' || this.#authority === '') return 'malformed';
    } else if (method === 'CONNECT') {
      // Section 8.5.
      return this.#scheme !== '' || this.#path !== '' || this.#authority === '' ? 'malformed' : this.#checkHost(head);
    }
    if (this.#scheme === '' || this.#path === '') return 'malformed';
    if (this.#path.charCodeAt(0) !== 47 && !(this.#path === '*' && method === 'OPTIONS')) return 'malformed';
    return this.#checkHost(head);
  }

  #checkHost(head: RequestHead): HeadVerdict {
    const host = head.fields.valueOf(HOST);
    if (this.#authority === '') return host === undefined ? MISSING_HOST : 'sound';
    return host !== undefined && host.toLowerCase() !== this.#authority.toLowerCase() ? 'malformed' : 'sound';
  }
}
