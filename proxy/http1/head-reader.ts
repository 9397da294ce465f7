import { BAD_START_LINE, type Rejection } from './rejection.ts';
import type { RequestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';

/** What `read` gives where there is no sound head: its rest has not come, or it is refused. */
export const NOT_WHOLE = -1;
export const REFUSED = -2;

/** What is wrong with a head that has not ended, of which so much was `seen` before. */
export type PartialFault = (text: string, seen: number, maxBytes: number) => Rejection | undefined;

/** Reads one head after the other on a connection. Most come whole and are scanned where they lie; the others are gathered as text. */
export class HeadReader {
  /** Why the last one was refused, what there was of it, and the offset behind it. */
  fault: Rejection = BAD_START_LINE;
  refused = '';
  behind = 0;
  readonly #maxBytes: number;
  readonly #partialFault: PartialFault;
  #partial = '';

  constructor(maxBytes: number, partialFault: PartialFault) {
    this.#maxBytes = maxBytes;
    this.#partialFault = partialFault;
  }

  /** A head has begun and has not ended. */
  get isWithin(): boolean {
    return this.#partial !== '';
  }

  forget(): void {
    this.#partial = '';
  }

  /** The offset behind a head that is sound and now in `head`, or NOT_WHOLE, or REFUSED. */
  read(head: RequestHead | ResponseHead, from: Buffer, start: number, end: number): number {
    const limit = Math.min(end, start + this.#maxBytes);
    const behind = this.#partial === '' ? head.scan(from, start, limit) : -1;
    return behind < 0 ? this.#readSlowly(head, from, start, limit) : behind;
  }

  #readSlowly(head: RequestHead | ResponseHead, from: Buffer, start: number, end: number): number {
    const held = this.#partial.length;
    const text = this.#partial + from.toString('latin1', start, end);
    const headEnd = text.indexOf('\r\n\r\n', Math.max(0, held - 3));
    if (headEnd < 0) {
      const fault = this.#partialFault(text, held, this.#maxBytes);
      if (fault !== undefined) return this.#refuse(fault, text, end);
      this.#partial = text;
      return NOT_WHOLE;
    }
    const length = headEnd + 4;
    const behind = start + length - held;
    if (head.scan(Buffer.from(text, 'latin1'), 0, length) < 0) {
      return this.#refuse(head.fault ?? BAD_START_LINE, text, behind);
    }
    this.#partial = '';
    return behind;
  }

  #refuse(fault: Rejection, text: string, behind: number): typeof REFUSED {
    this.#partial = '';
    this.fault = fault;
    this.refused = text;
    this.behind = behind;
    return REFUSED;
  }
}
