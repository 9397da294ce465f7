import type { Field } from './field.ts';

/** A power of two. */
const PLACES = 32;
/** Ids and traces are longer, and come once. */
const MAX_BYTES = 40;

/**
 * Literal fields that one peer has sent before: one that says `grpc-status: 0` in full with each answer is not looked at anew each time. One
 * per connection, so that how long a field takes tells of no other's.
 */
export class KnownLiterals {
  #fields: (Field | undefined)[] = [];
  /** What they came as, latin1. */
  #texts: string[] = [];

  /** The field that stands in from[start, end) as it came before. */
  find(from: Buffer, start: number, end: number): Field | undefined {
    const length = end - start;
    if (length > MAX_BYTES) return undefined;
    const place = placeOf(from, start, end);
    const text = this.#texts[place];
    if (text === undefined || text.length !== length) return undefined;
    for (let at = 0; at < length; at++) if (text.charCodeAt(at) !== from[start + at]) return undefined;
    return this.#fields[place];
  }

  keep(from: Buffer, start: number, end: number, field: Field): void {
    if (end - start > MAX_BYTES) return;
    if (this.#texts.length === 0) {
      this.#texts = Array.from({ length: PLACES }, () => '');
      this.#fields = Array.from({ length: PLACES }, () => undefined);
    }
    const place = placeOf(from, start, end);
    this.#texts[place] = from.toString('latin1', start, end);
    this.#fields[place] = field;
  }
}

/** Of its first bytes, its last ones and its length; a literal has two at least. */
function placeOf(from: Buffer, start: number, end: number): number {
  const ends = (from[start] ?? 0) * 7 + (from[start + 2] ?? 0) * 3 + (from[end - 2] ?? 0) * 5 + (from[end - 1] ?? 0);
  return (ends + (end - start)) & (PLACES - 1);
}
