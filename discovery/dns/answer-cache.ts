import { type Random, randomInt } from '../../kit/random.ts';
import { lowerCase, type PlainQuestion } from './plain-question.ts';
import type { Message } from './wire/message.ts';
import { HEADER_BYTES } from './wire/parse.ts';

/** More different questions than this and the cache starts anew: names that nobody has may be asked without end. */
const MAX_ANSWERS = 4096;

const RECURSION_DESIRED = 0x01;
const CHECKING_DISABLED = 0x10;

export interface CachedAnswer {
  readonly type: number;
  readonly variant: number;
  readonly nameEnd: number;
  /** Whole, the question's name in lower case. */
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
  readonly #answers = new Map<number, CachedAnswer>();
  readonly #random: Random;
  #zone: unknown;

  constructor(random: Random) {
    this.#random = random;
  }

  /** What this very question was answered from this zone, to be given to `write`. Undefined: ask the zone, then `put`. */
  get(zone: unknown, question: PlainQuestion, query: Uint8Array): CachedAnswer | undefined {
    if (zone !== this.#zone) {
      this.#answers.clear();
      this.#zone = zone;
    }
    const cached = this.#answers.get(question.hash);
    return cached !== undefined && isSame(cached, question, query) ? cached : undefined;
  }

  /** Of two questions with one hash the later is kept. */
  put(question: PlainQuestion, query: Uint8Array, message: Message, bytes: Uint8Array): void {
    if (this.#answers.size >= MAX_ANSWERS) this.#answers.clear();
    const { hash, nameEnd, type, variant } = question;
    const kept = Uint8Array.from(bytes);
    kept.set(query.subarray(HEADER_BYTES, nameEnd).map(lowerCase), HEADER_BYTES);
    this.#answers.set(hash, { type, variant, nameEnd, bytes: kept, turns: turnsOf(message, bytes, nameEnd) });
  }

  /** Writes a cached answer for the one who asked. `answer` has room for its `bytes`. */
  write(
    { bytes, turns }: CachedAnswer,
    { nameEnd, upper }: PlainQuestion,
    query: Uint8Array,
    answer: Uint8Array,
  ): void {
    answer.set(bytes);
    answer[0] = query[0] ?? 0;
    answer[1] = query[1] ?? 0;
    answer[2] = ((bytes[2] ?? 0) & ~RECURSION_DESIRED) | ((query[2] ?? 0) & RECURSION_DESIRED);
    answer[3] = ((bytes[3] ?? 0) & ~CHECKING_DISABLED) | ((query[3] ?? 0) & CHECKING_DISABLED);
    if (upper) for (let at = HEADER_BYTES; at < nameEnd; at++) answer[at] = query[at] ?? 0;
    if (turns !== undefined) {
      const end = turns.start + turns.recordBytes * turns.count;
      const cut = turns.start + turns.recordBytes * randomInt(this.#random, turns.count);
      answer.set(bytes.subarray(cut, end), turns.start);
      answer.set(bytes.subarray(turns.start, cut), turns.start + end - cut);
    }
  }
}

/** Equal hashes do not make equal questions. */
function isSame({ bytes, nameEnd, type, variant }: CachedAnswer, asked: PlainQuestion, query: Uint8Array): boolean {
  if (type !== asked.type || variant !== asked.variant || nameEnd !== asked.nameEnd) return false;
  for (let at = HEADER_BYTES; at < nameEnd; at++) {
    const letter = query[at] ?? 0;
    if (bytes[at] !== letter && bytes[at] !== lowerCase(letter)) return false;
  }
  return true;
}

/** Only address records that all begin with a pointer to the question's name: then all have the same length. */
function turnsOf({ answers }: Message, bytes: Uint8Array, nameEnd: number): Turns | undefined {
  const type = answers[0]?.data.type;
  const count = ((bytes[6] ?? 0) << 8) | (bytes[7] ?? 0);
  if (count < 2 || (type !== 'A' && type !== 'AAAA') || answers.some(({ data }) => data.type !== type))
    return undefined;
  return { start: nameEnd + 4, recordBytes: type === 'A' ? 16 : 28, count };
}
