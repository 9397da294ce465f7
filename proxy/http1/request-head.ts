import { EXPECT, HOST } from './field-kind.ts';
import { CR, equalsLowerCase, SP, TARGET, TOKEN } from './grammar.ts';
import { HeadFields } from './head-fields.ts';
import { MAX_AUTHORITY_BYTES, MAX_METHOD_BYTES, MAX_REQUEST_LINE_BYTES } from './limits.ts';
import {
  AMBIGUOUS_LENGTH,
  BAD_HOST,
  BAD_METHOD,
  BAD_PATH,
  BAD_START_LINE,
  BAD_TARGET,
  BAD_VERSION,
  MISSING_HOST,
  OLD_TRANSFER_ENCODING,
  type Rejection,
  TARGET_TOO_LONG,
  UNKNOWN_EXPECTATION,
} from './rejection.ts';
import { normalizePath } from './request-path.ts';

/** RFC 3986 host and port as a Host field or an authority may have them: no user information, no path, no list. */
const AUTHORITY = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._~!$&'()*+;=%-]+)(?::\d{1,5})?$/;
const AUTHORITY_WITH_PORT = /:\d{1,5}$/;
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
  #fieldsStart = 0;

  /** Reads one whole head: `end` is where its CRLFCRLF begins. */
  scan(text: string, end: number): Rejection | undefined {
    this.extendedConnect = false;
    return (
      this.#scanRequestLine(text) ??
      this.fields.scan(text, this.#fieldsStart, end) ??
      this.#checkFraming() ??
      this.#findAuthority() ??
      this.#checkExpectation()
    );
  }

  /** A head that did not come as text; `fields` are there already. An `authority` of '' leaves it to the Host field. */
  take(method: string, target: string, authority: string): Rejection | undefined {
    this.method = method;
    this.target = target;
    this.http10 = false;
    this.absoluteForm = false;
    this.extendedConnect = false;
    this.authority = '';
    if (target.length > MAX_REQUEST_LINE_BYTES) return TARGET_TOO_LONG;
    for (let at = 0; at < target.length; at++) if (TARGET[target.charCodeAt(at)] !== 1) return BAD_TARGET;
    const fault = this.#scanTarget();
    if (fault !== undefined) return fault;
    if (authority === '') return this.#findAuthority() ?? this.#checkExpectation();
    if (!AUTHORITY.test(authority)) return BAD_HOST;
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

  #scanRequestLine(text: string): Rejection | undefined {
    let at = 0;
    while (TOKEN[text.charCodeAt(at)] === 1) at++;
    if (at === 0 || at > MAX_METHOD_BYTES || text.charCodeAt(at) !== SP) return BAD_METHOD;
    this.method = text.slice(0, at);
    const targetStart = ++at;
    while (TARGET[text.charCodeAt(at)] === 1) at++;
    if (at - targetStart > MAX_REQUEST_LINE_BYTES) return TARGET_TOO_LONG;
    if (at === targetStart || text.charCodeAt(at) !== SP) return BAD_TARGET;
    this.target = text.slice(targetStart, at);
    return this.#scanVersion(text, at + 1) ?? this.#scanTarget();
  }

  #scanVersion(text: string, at: number): Rejection | undefined {
    if (!text.startsWith('HTTP/1.', at))
      return /^HTTP\/\d\.\d\r\n/.test(text.slice(at, at + 10)) ? BAD_VERSION : BAD_START_LINE;
    const minor = text.charCodeAt(at + 7) - 48;
    if (text.charCodeAt(at + 8) !== CR || text.charCodeAt(at + 9) !== 10) return BAD_START_LINE;
    if (minor !== 0 && minor !== 1) return minor > 1 && minor < 10 ? BAD_VERSION : BAD_START_LINE;
    this.http10 = minor === 0;
    this.#fieldsStart = at + 10;
    return undefined;
  }

  #scanTarget(): Rejection | undefined {
    this.absoluteForm = false;
    this.secureTarget = false;
    this.authority = '';
    const target = this.target;
    if (this.method === 'CONNECT') {
      if (!AUTHORITY.test(target) || !AUTHORITY_WITH_PORT.test(target)) return BAD_TARGET;
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
    if (authority.length > MAX_AUTHORITY_BYTES || !AUTHORITY.test(authority)) return BAD_TARGET;
    const rest = authorityEnd < 0 ? '' : target.slice(start + authorityEnd);
    // RFC 9112 section 3.2.4: an OPTIONS without a path is about the server as a whole.
    if (rest === '' && this.method === 'OPTIONS') this.target = '*';
    else this.target = rest.charCodeAt(0) === SLASH ? rest : `/${rest}`;
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
    const queryAt = target.indexOf('?');
    const path = queryAt < 0 ? target : target.slice(0, queryAt);
    const normal = normalizePath(path);
    if (normal === undefined) return BAD_PATH;
    this.path = normal;
    if (normal !== path) this.target = queryAt < 0 ? normal : normal + target.slice(queryAt);
    return undefined;
  }

  #checkFraming(): Rejection | undefined {
    if (!this.fields.chunked) return undefined;
    if (this.http10) return OLD_TRANSFER_ENCODING;
    return this.fields.contentLength >= 0 ? AMBIGUOUS_LENGTH : undefined;
  }

  #findAuthority(): Rejection | undefined {
    const host = this.fields.valueOf(HOST);
    if (host === undefined) return this.http10 ? undefined : MISSING_HOST;
    if (host.length > MAX_AUTHORITY_BYTES || !AUTHORITY.test(host)) return BAD_HOST;
    if (this.method === 'CONNECT') this.authority = this.target.toLowerCase();
    else if (!this.absoluteForm) this.authority = host.toLowerCase();
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
