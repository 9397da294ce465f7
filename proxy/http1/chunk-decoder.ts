import { CONTENT_LENGTH, fieldKind, TRANSFER_ENCODING } from './field-kind.ts';
import { COLON, CR, LF, TOKEN } from './grammar.ts';
import { MAX_CHUNK_EXTENSION_BYTES, MAX_TRAILER_BYTES } from './limits.ts';

/** Takes a body's bytes as they come. `from` is valid during the call only. */
export interface BodySink {
  bodyBytes(from: Buffer, start: number, end: number): void;
}

type State =
  /** Before the first digit of a chunk's size. */
  | 'size-start'
  | 'size'
  /** Behind `;`: extensions are read over, counted, and never forwarded. */
  | 'extension-start'
  | 'extension-name'
  /** Behind `=`. */
  | 'extension-value-start'
  | 'extension-value'
  | 'extension-quoted'
  /** Behind a backslash within quotes. */
  | 'extension-escaped'
  /** Behind the closing quote. */
  | 'extension-end'
  | 'size-line-feed'
  | 'data'
  | 'data-return'
  | 'data-line-feed'
  /** At the start of a line of the trailer section. */
  | 'trailer-start'
  | 'trailer-name'
  | 'trailer'
  | 'trailer-line-feed'
  | 'end-line-feed'
  | 'done'
  | 'broken';

// 2^53 has 14 hexadecimal digits: no size that is read is ever rounded.
const MAX_SIZE_DIGITS = 13;
const SEMICOLON = 59;
const EQUALS = 61;
const QUOTE = 34;
const BACKSLASH = 92;

/**
 * The chunked coding of RFC 9112 section 7.1, strict: no blanks around a size or within an extension, CRLF and nothing else ends
 * a line, a size has digits, an extension and a trailer field have names, and no trailer frames anything. Extensions are checked and
 * dropped: a recipient may (section 7.1.1), and what is dropped cannot smuggle anything. The trailer section is kept as it came;
 * trailers.ts says what of it may go on.
 */
export class ChunkDecoder {
  #state: State = 'size-start';
  #size = 0;
  #digits = 0;
  #extensionBytes = 0;
  #trailer = '';
  #trailerLineStart = 0;

  /** The trailer section, once the body is done. */
  get trailer(): string {
    return this.#trailer;
  }

  get done(): boolean {
    return this.#state === 'done';
  }

  reset(): void {
    this.#state = 'size-start';
    this.#size = 0;
    this.#digits = 0;
    this.#extensionBytes = 0;
    this.#trailer = '';
  }

  /** Decodes from `start`; returns the offset behind the last byte that belongs to the body, or -1 when it is malformed. */
  feed(from: Buffer, start: number, end: number, sink: BodySink): number {
    let at = start;
    while (at < end && this.#state !== 'done') {
      if (this.#state === 'data') {
        const stop = Math.min(end, at + this.#size);
        this.#size -= stop - at;
        if (this.#size === 0) this.#state = 'data-return';
        sink.bodyBytes(from, at, stop);
        at = stop;
      } else {
        this.#state = this.#step(from[at] ?? 0);
        if (this.#state === 'broken') return -1;
        at++;
      }
    }
    return at;
  }

  #step(code: number): State {
    switch (this.#state) {
      case 'size-start':
      case 'size':
        return this.#stepSize(code);
      case 'extension-start':
      case 'extension-name':
      case 'extension-value-start':
      case 'extension-value':
      case 'extension-quoted':
      case 'extension-escaped':
      case 'extension-end':
        return ++this.#extensionBytes > MAX_CHUNK_EXTENSION_BYTES ? 'broken' : stepExtension(this.#state, code);
      case 'size-line-feed':
        if (code !== LF) return 'broken';
        return this.#size === 0 ? 'trailer-start' : 'data';
      case 'data-return':
        return code === CR ? 'data-line-feed' : 'broken';
      case 'data-line-feed':
        this.#digits = 0;
        return code === LF ? 'size-start' : 'broken';
      case 'trailer-start':
        if (code === CR) return 'end-line-feed';
        this.#trailerLineStart = this.#trailer.length;
        return TOKEN[code] === 1 ? this.#stepTrailer(code, 'trailer-name') : 'broken';
      case 'trailer-name':
        if (code === COLON) {
          return frames(this.#trailer, this.#trailerLineStart) ? 'broken' : this.#stepTrailer(code, 'trailer');
        }
        return TOKEN[code] === 1 ? this.#stepTrailer(code, 'trailer-name') : 'broken';
      case 'trailer':
        return code === CR ? 'trailer-line-feed' : this.#stepTrailer(code, 'trailer');
      case 'trailer-line-feed':
        this.#trailer += '\r\n';
        return code === LF ? 'trailer-start' : 'broken';
      case 'end-line-feed':
        return code === LF ? 'done' : 'broken';
      case 'data':
      case 'done':
      case 'broken':
        return 'broken';
      default:
        return this.#state satisfies never;
    }
  }

  #stepSize(code: number): State {
    const digit = hexDigit(code);
    if (digit >= 0) {
      if (++this.#digits > MAX_SIZE_DIGITS) return 'broken';
      this.#size = this.#state === 'size-start' ? digit : this.#size * 16 + digit;
      return 'size';
    }
    if (this.#state === 'size-start') return 'broken';
    if (code === CR) return 'size-line-feed';
    return code === SEMICOLON ? 'extension-start' : 'broken';
  }

  #stepTrailer(code: number, next: State): State {
    if (isControl(code) || this.#trailer.length >= MAX_TRAILER_BYTES) return 'broken';
    this.#trailer += String.fromCharCode(code);
    return next;
  }
}

/** A recipient may ignore such a trailer (RFC 9110 section 6.5.1), but who sends it wants somebody to take it for more. */
function frames(text: string, nameStart: number): boolean {
  return (fieldKind(text, nameStart, text.length) & (CONTENT_LENGTH | TRANSFER_ENCODING)) !== 0;
}

/** chunk-ext of RFC 9112 section 7.1.1, without the blanks that only bad senders put there. */
function stepExtension(state: State, code: number): State {
  switch (state) {
    case 'extension-start':
      return TOKEN[code] === 1 ? 'extension-name' : 'broken';
    case 'extension-name':
      if (TOKEN[code] === 1) return 'extension-name';
      return code === EQUALS ? 'extension-value-start' : afterExtension(code);
    case 'extension-value-start':
      if (code === QUOTE) return 'extension-quoted';
      return TOKEN[code] === 1 ? 'extension-value' : 'broken';
    case 'extension-value':
      return TOKEN[code] === 1 ? 'extension-value' : afterExtension(code);
    case 'extension-quoted':
      if (code === QUOTE) return 'extension-end';
      if (code === BACKSLASH) return 'extension-escaped';
      return isControl(code) ? 'broken' : 'extension-quoted';
    case 'extension-escaped':
      return isControl(code) ? 'broken' : 'extension-quoted';
    default:
      return afterExtension(code);
  }
}

function afterExtension(code: number): State {
  if (code === CR) return 'size-line-feed';
  return code === SEMICOLON ? 'extension-start' : 'broken';
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

function isControl(code: number): boolean {
  return (code < 32 && code !== 9) || code === 127;
}
