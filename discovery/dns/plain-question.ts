import { CLASS, OPCODE, TYPE } from './wire/codes.ts';
import { HEADER_BYTES } from './wire/parse.ts';

/** A question as it came, found without reading the whole message. */
export interface PlainQuestion {
  /** Of the name in lower case, its type, and all else on which the answer's bytes depend. */
  readonly hash: number;
  /** Where the name ends: its bytes are at [12, nameEnd). */
  readonly nameEnd: number;
  /** Whether a letter of the name is in upper case. */
  readonly upper: boolean;
  readonly type: number;
  /** What else the answer's bytes depend on: the transport and EDNS. */
  readonly variant: number;
}

export type Transport = 'udp' | 'tcp';

/** A plain question is no longer than this: header, the longest name, type, class, and an OPT record with a cookie or so. */
const MAX_BYTES = 1024;
const OPT_BYTES = 11;
const NO_EDNS = -1;

/**
 * Reads what a cache needs from an ordinary question: opcode QUERY, one question of class IN, at most an OPT record of version 0.
 * Undefined for anything else, malformed or only rare: that goes the long way. The question is the first `length` bytes.
 */
export function plainQuestion(query: Uint8Array, length: number, transport: Transport): PlainQuestion | undefined {
  if (length < HEADER_BYTES + 5 || length > MAX_BYTES) return undefined;
  const opcode = byte(query, 2) & 0xf8;
  if (opcode !== OPCODE.QUERY || word(query, 4) !== 1 || word(query, 6) !== 0 || word(query, 8) !== 0) return undefined;

  // FNV-1a (its 32-bit offset basis and prime); one walk finds the name's end and hashes it.
  let hash = 0x811c9dc5;
  let changed = 0;
  let at = HEADER_BYTES;
  for (let label = byte(query, at); label !== 0; label = byte(query, at)) {
    // A question's name is never compressed: there is nothing before it to point to.
    if (label > 63) return undefined;
    const end = at + label;
    if (end + 1 >= length) return undefined;
    hash = Math.imul(hash ^ label, 0x01000193);
    while (at++ < end) {
      const letter = byte(query, at);
      const lower = lowerCase(letter);
      changed |= letter ^ lower;
      hash = Math.imul(hash ^ lower, 0x01000193);
    }
  }
  const nameEnd = at + 1;
  const end = nameEnd + 4;
  if (nameEnd - HEADER_BYTES > 255 || end > length || word(query, nameEnd + 2) !== CLASS.IN) return undefined;

  const edns = plainEdns(query, length, end);
  if (edns === undefined) return undefined;
  const variant = edns * 2 + (transport === 'tcp' ? 1 : 0);
  const type = word(query, nameEnd);
  hash = Math.imul(hash ^ type, 0x01000193);
  hash = Math.imul(hash ^ variant, 0x01000193);
  return { hash, nameEnd, upper: changed !== 0, type, variant };
}

/** The payload size and DO of an OPT record that ends the message, or that there is none. Undefined for anything else. */
function plainEdns(query: Uint8Array, length: number, at: number): number | undefined {
  const extra = word(query, 10);
  if (extra === 0) return at === length ? NO_EDNS : undefined;
  if (extra !== 1 || at + OPT_BYTES > length || byte(query, at) !== 0) return undefined;
  if (word(query, at + 1) !== TYPE.OPT || byte(query, at + 6) !== 0) return undefined;
  if (at + OPT_BYTES + word(query, at + 9) !== length) return undefined;
  return word(query, at + 3) * 2 + (byte(query, at + 7) >> 7);
}

/** Upper-case letters of ASCII made lower case; every other byte as it is (RFC 4343). */
export function lowerCase(character: number): number {
  return character >= 0x41 && character <= 0x5a ? character | 0x20 : character;
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
