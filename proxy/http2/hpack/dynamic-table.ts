import type { Field } from './field.ts';

/** The fields that a decoder was told to remember (RFC 7541 section 2.3.2), the newest first, as a ring. */
export class DynamicTable {
  #ring: (Field | undefined)[];
  #newest = 0;
  #count = 0;
  #bytes = 0;
  #maxBytes: number;

  /** A field counts 32 bytes at least, so the ring never needs more places than maxBytes / 32. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#ring = Array.from({ length: Math.floor(maxBytes / 32) + 1 }, () => undefined);
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** `at` counts from 0, the newest. */
  get(at: number): Field | undefined {
    if (at >= this.#count) return undefined;
    return this.#ring[(this.#newest + at) % this.#ring.length];
  }

  /** A field that is larger than the table empties it; that is no error (section 4.4). */
  add(field: Field): void {
    this.#evict(this.#maxBytes - field.size);
    if (field.size > this.#maxBytes) return;
    this.#newest = (this.#newest + this.#ring.length - 1) % this.#ring.length;
    this.#ring[this.#newest] = field;
    this.#count++;
    this.#bytes += field.size;
  }

  /** Not above what the table was made with. */
  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#evict(maxBytes);
  }

  #evict(untilBytes: number): void {
    while (this.#count > 0 && this.#bytes > untilBytes) {
      const oldest = (this.#newest + this.#count - 1) % this.#ring.length;
      this.#bytes -= this.#ring[oldest]?.size ?? 0;
      this.#ring[oldest] = undefined;
      this.#count--;
    }
  }
}
