import { type Random, randomInt } from '../../kit/random.ts';
import { CLASS, OPCODE, TYPE } from './wire/codes.ts';
import type { Message } from './wire/message.ts';
import { HEADER_BYTES } from './wire/parse.ts';

/** More different questions than this and the cache starts anew: names that nobody has may be asked without end. */
const MAX_ANSWERS = 4096;

const OPT_BYTES = 11;
const RECURSION_DESIRED = 0x01;
const CHECKING_DISABLED = 0x10;

/** A question as it came, found without reading the whole message. */
export interface PlainQuestion {
  /** The same for every spelling of the name in upper and lower case, and for equal EDNS. */
  readonly key: string;
  /** Where the name ends: its bytes are at [12, nameEnd). */
  readonly nameEnd: number;
  readonly payloadSizeBytes: number | undefined;
}

interface Cached {
  readonly bytes: Uint8Array;
  /** Addresses of equal rank, which take turns in front. */
  readonly turns: Turns | undefined;
}

interface Turns {
  readonly start: number;
  readonly recordBytes: number;
  readonly count: number;
}

/**
 * Encoded answers of one zone by question. A hit costs a copy, in which id, flags and the name's case become those of the
 * asker: that is all in which the answers to one question differ.
 */
export class AnswerCache {
  readonly #answers = new Map<string, Cached>();
  readonly #random: Random;
  #zone: unknown;

  constructor(random: Random) {
    this.#random = random;
  }

  /** The answer to this very question from this zone. Undefined: ask the zone, then `put`. */
  get(zone: unknown, question: PlainQuestion, query: Uint8Array): Uint8Array | undefined {
    if (zone !== this.#zone) {
      this.#answers.clear();
      this.#zone = zone;
    }
    const cached = this.#answers.get(question.key);
    return cached === undefined ? undefined : this.#patched(cached, question, query);
  }

  put(question: PlainQuestion, message: Message, bytes: Uint8Array): void {
    if (this.#answers.size >= MAX_ANSWERS) this.#answers.clear();
    this.#answers.set(question.key, { bytes, turns: turnsOf(message, bytes, question.nameEnd) });
  }

  #patched({ bytes, turns }: Cached, { nameEnd }: PlainQuestion, query: Uint8Array): Uint8Array {
    const answer = Buffer.allocUnsafe(bytes.length);
    answer.set(bytes);
    answer[0] = query[0] ?? 0;
    answer[1] = query[1] ?? 0;
    answer[2] = ((bytes[2] ?? 0) & ~RECURSION_DESIRED) | ((query[2] ?? 0) & RECURSION_DESIRED);
    answer[3] = ((bytes[3] ?? 0) & ~CHECKING_DISABLED) | ((query[3] ?? 0) & CHECKING_DISABLED);
    for (let at = HEADER_BYTES; at < nameEnd; at++) answer[at] = query[at] ?? 0;
    if (turns !== undefined) {
      const end = turns.start + turns.recordBytes * turns.count;
      const cut = turns.start + turns.recordBytes * randomInt(this.#random, turns.count);
      answer.set(bytes.subarray(cut, end), turns.start);
      answer.set(bytes.subarray(turns.start, cut), turns.start + end - cut);
    }
    return answer;
  }
}

/** Only address records that all begin with a pointer to the question's name: then all have the same length. */
function turnsOf({ answers }: Message, bytes: Uint8Array, nameEnd: number): Turns | undefined {
  const type = answers[0]?.data.type;
  const count = ((bytes[6] ?? 0) << 8) | (bytes[7] ?? 0);
  if (count < 2 || (type !== 'A' && type !== 'AAAA') || answers.some(({ data }) => data.type !== type))
    return undefined;
  return { start: nameEnd + 4, recordBytes: type === 'A' ? 16 : 28, count };
}

/**
 * Reads what a cache needs from an ordinary question: opcode QUERY, one question of class IN, at most an OPT record of version 0.
 * Undefined for anything else, malformed or only rare: that goes the long way.
 */
export function plainQuestion(query: Buffer, transport: 'udp' | 'tcp'): PlainQuestion | undefined {
  const { length } = query;
  if (length < HEADER_BYTES + 5 || length > 1024) return undefined;
  const opcode = (query[2] ?? 0) & 0xf8;
  if (opcode !== OPCODE.QUERY || query.readUInt16BE(4) !== 1 || query.readUInt32BE(6) !== 0) return undefined;
  const nameEnd = endOfName(query);
  if (nameEnd === undefined || nameEnd + 4 > length || query.readUInt16BE(nameEnd + 2) !== CLASS.IN) return undefined;

  const end = nameEnd + 4;
  const extra = query.readUInt16BE(10);
  const name = query.toString('latin1', HEADER_BYTES, end).toLowerCase();
  if (extra === 0) {
    return end === length ? { key: `${transport}${name}`, nameEnd, payloadSizeBytes: undefined } : undefined;
  }
  const opt = end + OPT_BYTES;
  if (extra !== 1 || opt > length || query[end] !== 0 || query.readUInt16BE(end + 1) !== TYPE.OPT) return undefined;
  const version = query[end + 6];
  if (version !== 0 || opt + query.readUInt16BE(end + 9) !== length) return undefined;
  const payloadSizeBytes = query.readUInt16BE(end + 3);
  const dnssecOk = ((query[end + 7] ?? 0) & 0x80) !== 0;
  return { key: `${transport}${name}${payloadSizeBytes}${dnssecOk ? '+' : '-'}`, nameEnd, payloadSizeBytes };
}

/** A question's name is never compressed: there is nothing before it to point to. */
function endOfName(query: Uint8Array): number | undefined {
  let at = HEADER_BYTES;
  while (at < query.length) {
    const length = query[at] ?? 0;
    if (length === 0) return at - HEADER_BYTES < 255 ? at + 1 : undefined;
    if (length > 63) return undefined;
    at += length + 1;
  }
  return undefined;
}
