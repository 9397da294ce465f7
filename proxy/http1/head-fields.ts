import {
  CLIENT_CERT,
  CONNECTION,
  CONTENT_LENGTH,
  FORWARDED_FOR,
  FORWARDED_HOST,
  FORWARDED_PROTO,
  fieldKind,
  fieldKindOfBytes,
  HOST,
  MESH_REASON,
  NAMED_FOR_REMOVAL,
  ORDINARY,
  REQUEST_ID,
  TE,
  TRANSFER_ENCODING,
  UPGRADE,
} from './field-kind.ts';
import { COLON, CR, decimal, equalsLowerCase, HTAB, isFieldValue, LF, SP, TOKEN } from './grammar.ts';
import { MAX_HEADERS_INSIDE } from './limits.ts';
import {
  BAD_CONNECTION,
  BAD_CONTENT_LENGTH,
  BAD_FIELD_NAME,
  BAD_FIELD_VALUE,
  BAD_HOST,
  BAD_TRANSFER_ENCODING,
  BARE_LINE_FEED,
  DUPLICATE_CONTENT_LENGTH,
  DUPLICATE_HOST,
  FOLDED_FIELD,
  type Rejection,
  TOO_MANY_FIELDS,
} from './rejection.ts';

const UNDERSCORE = 95;

// What was met on the way through one field.
const HAS_UNDERSCORE = 1;
const HAS_TAB = 2;

// An application that reads CGI-style variables cannot tell `X_Forwarded_For` from `X-Forwarded-For`: a client's twin of
// a field that we vouch for, or of one that frames the message, is dropped.
const VOUCHED_FOR =
  FORWARDED_FOR |
  FORWARDED_PROTO |
  FORWARDED_HOST |
  CLIENT_CERT |
  MESH_REASON |
  REQUEST_ID |
  HOST |
  CONTENT_LENGTH |
  TRANSFER_ENCODING;

// `Connection` may not name these away: they are meant for the far end (RFC 9110 section 7.6.1), and losing them on a
// client's wish has been used to get around checks behind a proxy.
const END_TO_END = new Set([
  'authorization',
  'cookie',
  'set-cookie',
  'content-type',
  'content-encoding',
  'content-range',
  'cache-control',
  'location',
]);

/**
 * The fields of one message head, found in a single pass over its text. Everything is an offset into `text`; an
 * instance is used again and again, so what outlives the turn must be taken out as a string.
 */
export class HeadFields {
  text = '';
  count = 0;
  /** Kinds that are there, as a set. */
  present = 0;
  /** Offset of the first field, behind the start line. */
  start = 0;
  /** Kinds that are there more than once. */
  repeated = 0;
  /** Offset behind the last field's line end. */
  end = 0;
  /** -1 without a Content-Length. */
  contentLength = -1;
  chunked = false;
  connectionClose = false;
  connectionKeepAlive = false;
  connectionUpgrade = false;
  /** What is wrong with the head that was scanned last. */
  fault: Rejection | undefined = undefined;
  readonly kinds = new Int32Array(MAX_HEADERS_INSIDE);
  readonly nameStarts = new Int32Array(MAX_HEADERS_INSIDE);
  readonly nameEnds = new Int32Array(MAX_HEADERS_INSIDE);
  readonly valueStarts = new Int32Array(MAX_HEADERS_INSIDE);
  readonly valueEnds = new Int32Array(MAX_HEADERS_INSIDE);
  /** Kinds of which a field had a tab beside its value. */
  #tabBeside = 0;
  #namedAway: Set<string> | undefined = undefined;

  /**
   * Reads a head of which the fields begin at `start`, and the start line at `headStart`, up to the empty line: nothing from `end` on is
   * looked at. Gives the offset behind the empty line, or -1: then `fault` says why, and is undefined when the head is not whole.
   */
  scan(from: Buffer, headStart: number, start: number, end: number): number {
    this.begin('');
    let known = ORDINARY;
    let at = start;
    while (at < end && from[at] !== CR) {
      if (this.count === MAX_HEADERS_INSIDE) return this.#refuse(TOO_MANY_FIELDS);
      const nameStart = at;
      let marks = 0;
      while (at < end) {
        const code = from[at] ?? 0;
        if (TOKEN[code] !== 1) break;
        if (code === UNDERSCORE) marks |= HAS_UNDERSCORE;
        at++;
      }
      if (at >= end) return -1;
      const nameEnd = at;
      if (from[at] !== COLON || at === nameStart) {
        return this.#refuse(at === nameStart ? lineStartFault(from[at] ?? 0) : BAD_FIELD_NAME);
      }
      at++;
      while (at < end) {
        const code = from[at];
        if (code !== SP && code !== HTAB) break;
        if (code === HTAB) marks |= HAS_TAB;
        at++;
      }
      const valueStart = at;
      while (at < end && isFieldValue(from[at] ?? 0)) at++;
      if (at + 1 >= end) return -1;
      if (from[at] !== CR || from[at + 1] !== LF) {
        return this.#refuse(from[at] === LF ? BARE_LINE_FEED : BAD_FIELD_VALUE);
      }
      let valueEnd = at;
      while (valueEnd > valueStart && isBlank(from[valueEnd - 1] ?? 0)) {
        valueEnd--;
        if (from[valueEnd] === HTAB) marks |= HAS_TAB;
      }
      at += 2;

      const index = this.count++;
      this.nameStarts[index] = nameStart - headStart;
      this.nameEnds[index] = nameEnd - headStart;
      this.valueStarts[index] = valueStart - headStart;
      this.valueEnds[index] = valueEnd - headStart;
      let kind = fieldKindOfBytes(from, nameStart, nameEnd);
      if (kind !== ORDINARY) {
        known |= kind;
        if ((marks & HAS_TAB) !== 0) this.#tabBeside |= kind;
      } else if ((marks & HAS_UNDERSCORE) !== 0 && isTwin(from.toString('latin1', nameStart, nameEnd)))
        kind = NAMED_FOR_REMOVAL;
      this.kinds[index] = kind;
    }
    if (at + 1 >= end) return -1;
    if (from[at + 1] !== LF) return this.#refuse(BAD_FIELD_NAME);
    this.start = start - headStart;
    this.end = at - headStart;
    this.text = from.toString('latin1', headStart, at);
    if (known !== ORDINARY && !this.#noteAll()) return -1;
    return at + 2;
  }

  #noteAll(): boolean {
    for (let index = 0; index < this.count; index++) {
      const kind = this.kinds[index] ?? ORDINARY;
      if (kind === ORDINARY || kind === NAMED_FOR_REMOVAL) continue;
      this.fault = this.#note(kind, index);
      if (this.fault !== undefined) return false;
      this.repeated |= this.present & kind;
      this.present |= kind;
    }
    if (this.#namedAway !== undefined) this.#removeNamed(this.#namedAway);
    return true;
  }

  #refuse(fault: Rejection): -1 {
    this.fault = fault;
    return -1;
  }

  /** Forgets what was here. `text` is what stands before the fields; `add` goes on from there. */
  begin(text: string): void {
    this.text = text;
    this.start = text.length;
    this.count = 0;
    this.present = 0;
    this.repeated = 0;
    this.end = text.length;
    this.contentLength = -1;
    this.chunked = false;
    this.connectionClose = false;
    this.connectionKeepAlive = false;
    this.connectionUpgrade = false;
    this.fault = undefined;
    this.#tabBeside = 0;
    this.#namedAway = undefined;
  }

  /**
   * A field that did not come as text. `line` is `name: value` with its CRLF, and both are what RFC 9110 lets them be; `kind` is
   * what {@link fieldKindOfName} says.
   */
  add(line: string, nameLength: number, kind: number): Rejection | undefined {
    if (this.count === MAX_HEADERS_INSIDE) return TOO_MANY_FIELDS;
    const index = this.count++;
    const start = this.end;
    this.text += line;
    this.end = start + line.length;
    this.nameStarts[index] = start;
    this.nameEnds[index] = start + nameLength;
    this.valueStarts[index] = start + nameLength + 2;
    this.valueEnds[index] = this.end - 2;
    this.kinds[index] = kind;
    if (kind === ORDINARY) return undefined;
    const fault = this.#note(kind, index);
    this.repeated |= this.present & kind;
    this.present |= kind;
    return fault;
  }

  /** The sender reads a message to its trailers (RFC 9110 section 10.1.4). */
  get acceptsTrailers(): boolean {
    const te = this.valueOf(TE);
    if (te === undefined || te === 'trailers') return te !== undefined;
    return te
      .toLowerCase()
      .split(',')
      .some((coding) => coding.trim() === 'trailers');
  }

  /** Of the first field of that kind, or -1. */
  indexOf(kind: number): number {
    if ((this.present & kind) === 0) return -1;
    for (let index = 0; index < this.count; index++) if (this.kinds[index] === kind) return index;
    return -1;
  }

  /** Value of the first field of that kind, or undefined. */
  valueOf(kind: number): string | undefined {
    const index = this.indexOf(kind);
    return index < 0 ? undefined : this.value(index);
  }

  name(index: number): string {
    return this.text.slice(this.nameStarts[index], this.nameEnds[index]);
  }

  value(index: number): string {
    return this.text.slice(this.valueStarts[index], this.valueEnds[index]);
  }

  /** Values of every field with that lower-case name, joined as RFC 9110 section 5.3 allows; undefined when there is none. */
  find(name: string): string | undefined {
    let found: string | undefined;
    for (let index = 0; index < this.count; index++) {
      const start = this.nameStarts[index] ?? 0;
      if ((this.nameEnds[index] ?? 0) - start !== name.length || !equalsLowerCase(this.text, start, name)) continue;
      found = found === undefined ? this.value(index) : `${found},${this.value(index)}`;
    }
    return found;
  }

  /** Marks every field with one of these lower-case names as one to leave out. */
  removeNames(names: ReadonlySet<string>): void {
    for (let index = 0; index < this.count; index++) {
      if (names.has(this.name(index).toLowerCase())) this.kinds[index] = NAMED_FOR_REMOVAL;
    }
  }

  #note(kind: number, index: number): Rejection | undefined {
    const start = this.valueStarts[index] ?? 0;
    const end = this.valueEnds[index] ?? 0;
    switch (kind) {
      case HOST:
        if ((this.present & HOST) !== 0) return DUPLICATE_HOST;
        return this.#hasTabBeside(kind) ? BAD_HOST : undefined;
      case CONTENT_LENGTH:
        if ((this.present & CONTENT_LENGTH) !== 0) return DUPLICATE_CONTENT_LENGTH;
        // A leading zero is legal and never sent in earnest; some parsers take it for octal.
        if (end - start > 1 && this.text.charCodeAt(start) === 48) return BAD_CONTENT_LENGTH;
        this.contentLength = decimal(this.text, start, end);
        return this.contentLength < 0 || this.#hasTabBeside(kind) ? BAD_CONTENT_LENGTH : undefined;
      case TRANSFER_ENCODING:
        if ((this.present & TRANSFER_ENCODING) !== 0) return BAD_TRANSFER_ENCODING;
        this.chunked = end - start === 7 && equalsLowerCase(this.text, start, 'chunked');
        return this.chunked && !this.#hasTabBeside(kind) ? undefined : BAD_TRANSFER_ENCODING;
      case CONNECTION:
        return this.#noteConnection(start, end);
      default:
        return undefined;
    }
  }

  /** Legal, never sent in earnest, and not read alike: llhttp takes `chunked` with a tab behind it for no coding at all. */
  #hasTabBeside(kind: number): boolean {
    return (this.#tabBeside & kind) !== 0;
  }

  #noteConnection(start: number, end: number): Rejection | undefined {
    const length = end - start;
    if (length === 10 && equalsLowerCase(this.text, start, 'keep-alive')) {
      this.connectionKeepAlive = true;
      return undefined;
    }
    if (length === 5 && equalsLowerCase(this.text, start, 'close')) {
      this.connectionClose = true;
      return undefined;
    }
    for (const option of this.text.slice(start, end).toLowerCase().split(',')) {
      const name = option.trim();
      if (name === '') continue;
      if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name)) return BAD_CONNECTION;
      if (name === 'close') this.connectionClose = true;
      else if (name === 'keep-alive') this.connectionKeepAlive = true;
      else if (name === 'upgrade') this.connectionUpgrade = true;
      else if (!END_TO_END.has(name)) (this.#namedAway ??= new Set()).add(name);
    }
    return undefined;
  }

  #removeNamed(names: ReadonlySet<string>): void {
    for (let index = 0; index < this.count; index++) {
      if (this.kinds[index] === ORDINARY && names.has(this.name(index).toLowerCase())) {
        this.kinds[index] = NAMED_FOR_REMOVAL;
      }
    }
  }
}

/** The kind of a whole name, twins of what we vouch for included. */
export function fieldKindOfName(name: string): number {
  const kind = fieldKind(name, 0, name.length);
  return kind === ORDINARY && name.includes('_') && isTwin(name) ? NAMED_FOR_REMOVAL : kind;
}

/** The value of the upgrade field as one lower-case token, or '' when there is none or several. */
export function upgradeToken(fields: HeadFields): string {
  const value = fields.connectionUpgrade ? fields.valueOf(UPGRADE) : undefined;
  return value === undefined ? '' : value.toLowerCase();
}

function isBlank(code: number): boolean {
  return code === SP || code === HTAB;
}

function isTwin(name: string): boolean {
  const dashed = name.replaceAll('_', '-');
  return (fieldKind(dashed, 0, dashed.length) & VOUCHED_FOR) !== 0;
}

function lineStartFault(code: number): Rejection {
  if (isBlank(code)) return FOLDED_FIELD;
  return code === LF ? BARE_LINE_FEED : BAD_FIELD_NAME;
}
