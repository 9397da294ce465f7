import { DynamicTable } from './dynamic-table.ts';
import { Field } from './field.ts';
import { decodeHuffman } from './huffman.ts';
import { KnownLiterals } from './known-literals.ts';
import { STATIC_COUNT, STATIC_FIELDS } from './static-table.ts';

/** Takes a header list field by field. */
export interface FieldSink {
  field(field: Field): void;
}

const HUFFMAN = 0x80;
/** No length or index within a block that the session accepts needs more; RFC 7541 section 5.1 wants a limit. */
const MAX_INTEGER = 1 << 24;
const BROKEN = -1;

/** HPACK's receiving side (RFC 7541): one per connection, fed every header block of it in order, wanted or not. */
export class HpackDecoder {
  readonly #table: DynamicTable;
  readonly #maxTableBytes: number;
  readonly #known = new KnownLiterals();
  #block: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;

  /** `maxTableBytes` is what SETTINGS_HEADER_TABLE_SIZE told the other side. */
  constructor(maxTableBytes: number) {
    this.#maxTableBytes = maxTableBytes;
    this.#table = new DynamicTable(maxTableBytes);
  }

  /** False when the block is broken: then nothing that follows on the connection can be read (section 2.2). */
  decode(block: Buffer, start: number, end: number, sink: FieldSink): boolean {
    this.#block = block;
    this.#at = start;
    this.#end = end;
    let fieldsBegan = false;
    while (this.#at < end) {
      const first = block[this.#at] ?? 0;
      if ((first & 0xe0) === 0x20) {
        // Section 4.2: size updates stand at the beginning of a block.
        const size = this.#integer(5);
        if (fieldsBegan || size < 0 || size > this.#maxTableBytes) return false;
        this.#table.resize(size);
        continue;
      }
      fieldsBegan = true;
      const field = (first & 0x80) !== 0 ? this.#fieldAt(this.#integer(7)) : this.#literal(first);
      if (field === undefined) return false;
      sink.field(field);
    }
    return true;
  }

  #literal(first: number): Field | undefined {
    const start = this.#at;
    const remembered = (first & 0x40) !== 0;
    const index = this.#integer(remembered ? 6 : 4);
    if (index < 0) return undefined;
    const stringsAt = this.#at;
    // What stands in the dynamic table changes, and what is never to be indexed (section 6.2.3) is kept nowhere.
    const end = (first & 0xf0) === 0 && index <= STATIC_COUNT ? this.#literalEnd(index) : BROKEN;
    const known = end === BROKEN ? undefined : this.#known.find(this.#block, start, end);
    if (known !== undefined) return known;
    this.#at = stringsAt;
    const name = index === 0 ? this.#string() : this.#fieldAt(index)?.name;
    if (name === undefined) return undefined;
    const value = this.#string();
    if (value === undefined) return undefined;
    const field = new Field(name, value);
    if (remembered) this.#table.add(field);
    else if (end !== BROKEN) this.#known.keep(this.#block, start, end, field);
    return field;
  }

  /** Goes behind a literal's strings. */
  #literalEnd(index: number): number {
    for (let strings = index === 0 ? 2 : 1; strings > 0; strings--) {
      if (this.#at >= this.#end) return BROKEN;
      const length = this.#integer(7);
      if (length < 0 || length > this.#end - this.#at) return BROKEN;
      this.#at += length;
    }
    return this.#at;
  }

  #fieldAt(index: number): Field | undefined {
    if (index < 1) return undefined;
    return index <= STATIC_COUNT ? STATIC_FIELDS[index - 1] : this.#table.get(index - STATIC_COUNT - 1);
  }

  /** Section 5.1; BROKEN when it does not end within the block or is too large. */
  #integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = (this.#block[this.#at++] ?? 0) & mask;
    if (value < mask) return value;
    let shift = 0;
    while (this.#at < this.#end) {
      const byte = this.#block[this.#at++] ?? 0;
      value += (byte & 127) * 2 ** shift;
      if (value > MAX_INTEGER || shift > 28) return BROKEN;
      if ((byte & 128) === 0) return value;
      shift += 7;
    }
    return BROKEN;
  }

  #string(): string | undefined {
    if (this.#at >= this.#end) return undefined;
    const coded = ((this.#block[this.#at] ?? 0) & HUFFMAN) !== 0;
    const length = this.#integer(7);
    const start = this.#at;
    if (length < 0 || length > this.#end - start) return undefined;
    this.#at = start + length;
    return coded ? decodeHuffman(this.#block, start, this.#at) : this.#block.toString('latin1', start, this.#at);
  }
}
