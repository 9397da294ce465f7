import { authorityIn, isAuthority, namesPort } from './authority.ts';
import { EXPECT, HOST } from './field-kind.ts';
import { CR, equalsLowerCase, LF, SP, TARGET, TARGET_DOT, TARGET_PERCENT, TARGET_QUERY, TOKEN } from './grammar.ts';
import { HeadFields } from './head-fields.ts';
import { MAX_METHOD_BYTES, MAX_REQUEST_LINE_BYTES } from './limits.ts';
import {
  AMBIGUOUS_LENGTH,
  BAD_HOST,
  BAD_METHOD,
  BAD_PATH,
  BAD_START_LINE,
  BAD_TARGET,
  BAD_VERSION,
  CONNECT_WITH_BODY,
  MISSING_HOST,
  OLD_TRANSFER_ENCODING,
  type Rejection,
  TARGET_TOO_LONG,
  UNKNOWN_EXPECTATION,
} from './rejection.ts';
import { normalizePath } from './request-path.ts';

// Methods that need no string of their own, the most frequent first.
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS', 'CONNECT'];
const VERSION = Uint8Array.from('HTTP/1.', (char) => char.charCodeAt(0));
const VERSION_LINE_BYTES = 10;
const SLASH = 47;

/** A request's head as the proxy acts on it. Used again for each request: strings may be kept, the object may not. */
export class RequestHead {
  readonly fields = new HeadFields();
  method = '';
  /** Origin form (`/path?query`), or `*`; for CONNECT the authority. What is forwarded and matched. */
  target = '';
  /** `target` up to the query. */
  path = '';
  /** Lower case; '' when an HTTP/1.0 client named none. */
  authority = '';
  http10 = false;
  /** The host was named elsewhere than in the Host field, which is then replaced (RFC 9112 section 3.2.2, RFC 9113 section 8.3.1). */
  absoluteForm = false;
  /** The target is an `https` URL, which means something over TLS alone. */
  secureTarget = false;
  expectsContinue = false;
  /** A WebSocket by extended CONNECT (RFC 8441): to be a GET with an upgrade where HTTP/1.1 goes on. */
  extendedConnect = false;
  /** What is wrong with the head that was scanned last; undefined when it was sound, or not whole. */
  fault: Rejection | undefined = undefined;
  // Of the request line, from the head's first byte.
  #methodEnd = 0;
  #targetEnd = 0;
  /** Where the query begins in the target; -1 without. */
  #queryAt = -1;
  /** `target` is what stands in `fields.text`. */
  #lineHolds = false;
  /** What the target holds (TARGET_DOT and so on). */
  #marks = 0;

  /** Reads one head that begins at `start`: nothing from `end` on is looked at. The offset behind it, or -1: see `fault`. */
  scan(from: Buffer, start: number, end: number): number {
    this.extendedConnect = false;
    this.fault = undefined;
    const fieldsStart = this.#scanRequestLine(from, start, end);
    if (fieldsStart < 0) return -1;
    const behind = this.fields.scan(from, start, fieldsStart, end);
    this.fault = behind < 0 ? this.fields.fault : this.#understand(from, start);
    return this.fault === undefined ? behind : -1;
  }

  #understand(from: Buffer, start: number): Rejection | undefined {
    const { text } = this.fields;
    this.method = methodOf(text, this.#methodEnd);
    this.target = text.slice(this.#methodEnd + 1, this.#targetEnd);
    this.#lineHolds = true;
    return (
      this.#scanTarget() ??
      this.#checkFraming() ??
      this.#takeHost(this.#hostIn(from, start)) ??
      this.#checkExpectation()
    );
  }

  /** The Host field as an authority; undefined where there is none, '' where it is no authority. */
  #hostIn(from: Buffer, start: number): string | undefined {
    const { fields } = this;
    const index = fields.indexOf(HOST);
    if (index < 0) return undefined;
    return authorityIn(from, start + (fields.valueStarts[index] ?? 0), start + (fields.valueEnds[index] ?? 0)) ?? '';
  }

  /** The line that came says just what is to be said with that target. */
  canKeepLine(target: string): boolean {
    return this.#lineHolds && target === this.target && !this.http10;
  }

  /** A head that did not come as text; `fields` are there already. An `authority` of '' leaves it to the Host field. */
  take(method: string, target: string, authority: string): Rejection | undefined {
    this.method = method;
    this.target = target;
    this.#lineHolds = false;
    this.http10 = false;
    this.absoluteForm = false;
    this.extendedConnect = false;
    this.authority = '';
    if (target.length > MAX_REQUEST_LINE_BYTES) return TARGET_TOO_LONG;
    this.#marks = 0;
    for (let at = 0; at < target.length; at++) {
      const mark = TARGET[target.charCodeAt(at)] ?? 0;
      if (mark === 0) return BAD_TARGET;
      this.#marks |= mark;
    }
    this.#queryAt = target.indexOf('?');
    const fault = this.#scanTarget();
    if (fault !== undefined) return fault;
    if (authority === '') return this.#takeHost(this.#hostInText()) ?? this.#checkExpectation();
    if (!isAuthority(authority)) return BAD_HOST;
    this.authority = authority.toLowerCase();
    this.absoluteForm = true;
    return this.#checkExpectation();
  }

  get keepAlive(): boolean {
    return this.http10 ? this.fields.connectionKeepAlive && !this.fields.connectionClose : !this.fields.connectionClose;
  }

  header(name: string): string | undefined {
    return this.fields.find(name);
  }

  get query(): string {
    return this.target.length === this.path.length ? '' : this.target.slice(this.path.length + 1);
  }

  /** The offset behind the line, or -1. */
  #scanRequestLine(from: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && TOKEN[from[at] ?? 0] === 1) at++;
    if (at >= end) return -1;
    if (at === start || at - start > MAX_METHOD_BYTES || from[at] !== SP) return this.#refuse(BAD_METHOD);
    this.#methodEnd = at - start;
    const targetStart = ++at;
    let marks = 0;
    let queryAt = -1;
    while (at < end) {
      const mark = TARGET[from[at] ?? 0] ?? 0;
      if (mark === 0) break;
      if (mark !== 1) {
        marks |= mark;
        if (queryAt < 0 && (mark & TARGET_QUERY) !== 0) queryAt = at - targetStart;
      }
      at++;
    }
    if (at >= end) return -1;
    if (at - targetStart > MAX_REQUEST_LINE_BYTES) return this.#refuse(TARGET_TOO_LONG);
    if (at === targetStart || from[at] !== SP) return this.#refuse(BAD_TARGET);
    this.#marks = marks;
    this.#queryAt = queryAt;
    this.#targetEnd = at - start;
    return this.#scanVersion(from, at + 1, end);
  }

  #scanVersion(from: Buffer, start: number, end: number): number {
    if (start + VERSION_LINE_BYTES > end) return -1;
    for (let at = 0; at < VERSION.length; at++) {
      if (from[start + at] === VERSION[at]) continue;
      const isOther = /^HTTP\/\d\.\d\r\n/.test(from.toString('latin1', start, start + VERSION_LINE_BYTES));
      return this.#refuse(isOther ? BAD_VERSION : BAD_START_LINE);
    }
    const minor = (from[start + 7] ?? 0) - 48;
    if (from[start + 8] !== CR || from[start + 9] !== LF) return this.#refuse(BAD_START_LINE);
    if (minor !== 0 && minor !== 1) return this.#refuse(minor > 1 && minor < 10 ? BAD_VERSION : BAD_START_LINE);
    this.http10 = minor === 0;
    return start + VERSION_LINE_BYTES;
  }

  #refuse(fault: Rejection): -1 {
    this.fault = fault;
    return -1;
  }

  #scanTarget(): Rejection | undefined {
    this.absoluteForm = false;
    this.secureTarget = false;
    this.authority = '';
    const target = this.target;
    if (this.method === 'CONNECT') {
      if (!isAuthority(target) || !namesPort(target)) return BAD_TARGET;
      this.path = target;
      return undefined;
    }
    if (target.charCodeAt(0) === SLASH) return this.#scanPath();
    if (target === '*') {
      this.path = '*';
      return this.method === 'OPTIONS' ? undefined : BAD_TARGET;
    }
    return this.#scanAbsoluteForm(target);
  }

  #scanAbsoluteForm(target: string): Rejection | undefined {
    this.secureTarget = equalsLowerCase(target, 0, 'https://');
    if (!this.secureTarget && !equalsLowerCase(target, 0, 'http://')) return BAD_TARGET;
    const start = this.secureTarget ? 8 : 7;
    const authorityEnd = target.slice(start).search(/[/?]/);
    const authority = authorityEnd < 0 ? target.slice(start) : target.slice(start, start + authorityEnd);
    if (!isAuthority(authority)) return BAD_TARGET;
    const rest = authorityEnd < 0 ? '' : target.slice(start + authorityEnd);
    // RFC 9112 section 3.2.4: an OPTIONS without a path is about the server as a whole.
    if (rest === '' && this.method === 'OPTIONS') this.target = '*';
    else this.target = rest.charCodeAt(0) === SLASH ? rest : `/${rest}`;
    this.#lineHolds = false;
    this.#queryAt = this.target.indexOf('?');
    this.authority = authority.toLowerCase();
    this.absoluteForm = true;
    if (this.target === '*') {
      this.path = '*';
      return undefined;
    }
    return this.#scanPath();
  }

  #scanPath(): Rejection | undefined {
    const target = this.target;
    const queryAt = this.#queryAt;
    const path = queryAt < 0 ? target : target.slice(0, queryAt);
    if ((this.#marks & (TARGET_PERCENT | TARGET_DOT)) === 0) {
      this.path = path;
      return undefined;
    }
    const normal = normalizePath(path);
    if (normal === undefined) return BAD_PATH;
    this.path = normal;
    if (normal === path) return undefined;
    this.target = queryAt < 0 ? normal : normal + target.slice(queryAt);
    this.#lineHolds = false;
    return undefined;
  }

  #checkFraming(): Rejection | undefined {
    if (this.method === 'CONNECT' && (this.fields.chunked || this.fields.contentLength > 0)) return CONNECT_WITH_BODY;
    if (!this.fields.chunked) return undefined;
    if (this.http10) return OLD_TRANSFER_ENCODING;
    return this.fields.contentLength >= 0 ? AMBIGUOUS_LENGTH : undefined;
  }

  #hostInText(): string | undefined {
    const host = this.fields.valueOf(HOST);
    return host === undefined || isAuthority(host) ? host?.toLowerCase() : '';
  }

  /** `host`: undefined when there is none, '' when it is no authority. */
  #takeHost(host: string | undefined): Rejection | undefined {
    if (host === undefined) return this.http10 ? undefined : MISSING_HOST;
    if (host === '') return BAD_HOST;
    if (this.method === 'CONNECT') this.authority = this.target.toLowerCase();
    else if (!this.absoluteForm) this.authority = host;
    return undefined;
  }

  #checkExpectation(): Rejection | undefined {
    this.expectsContinue = false;
    if ((this.fields.present & EXPECT) === 0 || this.http10) return undefined;
    // All of them: a second one behind the one that we know would go on unseen.
    if (this.fields.find('expect')?.toLowerCase() !== '100-continue') return UNKNOWN_EXPECTATION;
    // Without a body there is nothing to wait with (RFC 9110 section 10.1.1).
    this.expectsContinue = this.fields.chunked || this.fields.contentLength > 0;
    return undefined;
  }
}

function methodOf(text: string, length: number): string {
  for (const method of METHODS) if (method.length === length && text.startsWith(method)) return method;
  return text.slice(0, length);
}
