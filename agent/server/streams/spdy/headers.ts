import { constants, createInflate, type Inflate } from 'node:zlib';
import { DICTIONARY } from './dictionary.ts';

/** More than any port-forward has, far below what compressed bytes could grow to. */
const MAX_BLOCK_BYTES = 64 * 1024;

/**
 * Reads the header blocks of one connection: one zlib stream over all of its frames (SPDY Draft 3.1, 2.6.10.1), so every block
 * must be given, in order.
 */
export class HeaderReader {
  readonly #inflate: Inflate = createInflate({ dictionary: DICTIONARY, finishFlush: constants.Z_SYNC_FLUSH });
  #pieces: Buffer[] = [];
  #bytes = 0;
  #error: Error | undefined;

  constructor() {
    this.#inflate.on('data', (piece: Buffer) => {
      this.#bytes += piece.length;
      if (this.#bytes > MAX_BLOCK_BYTES)
        this.#inflate.destroy(new Error(`SPDY headers of more than ${MAX_BLOCK_BYTES} bytes`));
      else this.#pieces.push(piece);
    });
    this.#inflate.on('error', (error) => (this.#error = error));
  }

  /** Rejects when it is not what was wanted; then nothing more can be read. */
  async read(compressed: Buffer): Promise<ReadonlyMap<string, string>> {
    await new Promise<void>((resolve, reject) => {
      if (this.#error !== undefined) {
        reject(this.#error);
        return;
      }
      this.#inflate.once('close', () => reject(this.#error ?? new Error('SPDY headers: cut off')));
      // What was pushed before the callback has flowed when the turn is over.
      this.#inflate.write(compressed, () => setImmediate(resolve));
    }).finally(() => this.#inflate.removeAllListeners('close'));
    const block = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#bytes = 0;
    return parseHeaderBlock(block);
  }

  close(): void {
    this.#inflate.destroy();
  }
}

/** A count, then for each a name and a value, all with 32-bit lengths. Throws on what is cut short. */
export function parseHeaderBlock(block: Buffer): ReadonlyMap<string, string> {
  let at = 0;
  const number = (): number => {
    if (at + 4 > block.length) throw new Error('SPDY headers: cut short');
    at += 4;
    return block.readUInt32BE(at - 4);
  };
  const text = (): string => {
    const length = number();
    if (length > block.length - at) throw new Error('SPDY headers: cut short');
    at += length;
    return block.toString('utf8', at - length, at);
  };
  const headers = new Map<string, string>();
  const count = number();
  // Each takes eight bytes or more: a count that is a lie ends at the block's end.
  for (let index = 0; index < count; index++) headers.set(text().toLowerCase(), text());
  return headers;
}

/** Two blocks of "stored": the four zeros of a count of none, and the empty one that a flush is. */
const NONE = Buffer.from([0, 4, 0, 0xfb, 0xff, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);
/** zlib's header with the checksum of {@link DICTIONARY} (RFC 1950, 2.2). */
const ZLIB_HEADER = Buffer.from([0x78, 0xbb, 0xe3, 0xc6, 0xa7, 0xc2]);

/** A block without headers, as zlib that does not compress (RFC 1951, 3.2.4): the only one that we send. */
export function noHeaders(place: 'first of the connection' | 'later'): Buffer {
  return place === 'later' ? NONE : Buffer.concat([ZLIB_HEADER, NONE]);
}
