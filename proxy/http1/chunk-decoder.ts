import { CR, LF } from './grammar.ts';
import { MAX_CHUNK_EXTENSION_BYTES, MAX_TRAILER_BYTES } from './limits.ts';

/** Takes a body's bytes as they come. `from` is valid during the call only. */
export interface BodySink {
  bodyBytes(from: Buffer, start: number, end: number): void;
}

type State =
  /** Before the first digit of a chunk's size. */
  | 'size-start'
  | 'size'
  /** Behind `;`: read over, counted, and never forwarded. */
  | 'extension'
  | 'size-line-feed'
  | 'data'
  | 'data-return'
  | 'data-line-feed'
  /** At the start of a line of the trailer section. */
  | 'trailer-start'
  | 'trailer'
  | 'trailer-line-feed'
  | 'end-line-feed'
  | 'done'
  | 'broken';

// 2^53 has 14 hexadecimal digits: no size that is read is ever rounded.
const MAX_SIZE_DIGITS = 13;
const SEMICOLON = 59;

/**
 * The chunked coding of RFC 9112 section 7.1, strict: no blanks around a size, CRLF and nothing else ends a line, a size has
 * digits. Extensions are checked for length and control characters and dropped: a recipient may (section 7.1.1), and what is dropped
 * cannot smuggle anything. The trailer section is kept as it came; trailers.ts says what of it may go on.
 */
export class ChunkDecoder {
  #state: State = 'size-start';
  #size = 0;
  #digits = 0;
  #extensionBytes = 0;
  #trailer = '';

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
      case 'extension':
        if (code === CR) return 'size-line-feed';
        if (isControl(code) || ++this.#extensionBytes > MAX_CHUNK_EXTENSION_BYTES) return 'broken';
        return 'extension';
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
        return this.#stepTrailer(code);
      case 'trailer':
        return code === CR ? 'trailer-line-feed' : this.#stepTrailer(code);
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
    return code === SEMICOLON ? 'extension' : 'broken';
  }

  #stepTrailer(code: number): State {
    if (isControl(code) || this.#trailer.length >= MAX_TRAILER_BYTES) return 'broken';
    this.#trailer += String.fromCharCode(code);
    return 'trailer';
  }
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

function isControl(code: number): boolean {
  return (code < 32 && code !== 9) || code === 127;
}
