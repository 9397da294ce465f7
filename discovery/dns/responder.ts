import type { Logger } from '../../kit/log.ts';
import type { Random } from '../../kit/random.ts';
import { AnswerCache } from './answer-cache.ts';
import type { Forwarder } from './forward.ts';
import { handle, type Outcome, type Sections, withCode } from './handlers.ts';
import { type PlainQuestion, plainQuestion, type Transport } from './plain-question.ts';
import { RCODE } from './wire/codes.ts';
import { encodeMessage, MAX_MESSAGE_BYTES } from './wire/encode.ts';
import type { Header, Message } from './wire/message.ts';
import { parseMessage } from './wire/parse.ts';
import type { Zone } from './zone.ts';

/** What every DNS client takes over UDP (RFC 1035 section 4.2.1). */
const PLAIN_UDP_BYTES = 512;

/** Fits every usual path without fragments (DNS flag day 2020; the default of BIND, unbound and NSD). */
export const MAX_UDP_BYTES = 1232;

export interface ResponderOptions {
  readonly zone: () => Zone;
  readonly forwarder: Forwarder;
  readonly random: Random;
  readonly log: Logger;
}

/** What becomes of a packet. Undefined: nothing is to be sent. */
export type Response = Uint8Array | undefined;

/** From a packet to the packet that answers it, whatever carried it. */
export class Responder {
  readonly #options: ResponderOptions;
  readonly #cache: AnswerCache;

  constructor(options: ResponderOptions) {
    this.#options = options;
    this.#cache = new AnswerCache(options.random);
  }

  /** Never throws and never rejects: a defect is logged and answered SERVFAIL. Over UDP never more than `MAX_UDP_BYTES`. */
  respond(query: Buffer, transport: Transport): Response | Promise<Response> {
    try {
      const zone = this.#options.zone();
      const plain = plainQuestion(query, query.length, transport);
      const cached = plain && this.#cache.get(zone, plain, query);
      if (plain === undefined || cached === undefined) return this.#respondAnew(query, transport, zone, plain);
      const answer = Buffer.allocUnsafe(cached.bytes.length);
      this.#cache.write(cached, plain, query, answer);
      return answer;
    } catch (error) {
      return this.#failed(query, transport, error);
    }
  }

  /**
   * The same over UDP for a question that has been answered before, without making anything for the collector: reads the first `length`
   * bytes of `query`, writes into `room` and gives how many bytes. 0: `respond` is to be asked.
   */
  answerAgain(query: Uint8Array, length: number, room: Uint8Array): number {
    const plain = plainQuestion(query, length, 'udp');
    if (plain === undefined) return 0;
    try {
      const cached = this.#cache.get(this.#options.zone(), plain, query);
      if (cached === undefined || cached.bytes.length > room.length) return 0;
      this.#cache.write(cached, plain, query, room);
      return cached.bytes.length;
    } catch {
      // A defect behind the zone: `respond` meets it as well, and says so.
      return 0;
    }
  }

  #respondAnew(
    query: Buffer,
    transport: Transport,
    zone: Zone,
    plain: PlainQuestion | undefined,
  ): Response | Promise<Response> {
    const parsed = parseMessage(query);
    // An answer to an answer could go to and fro for ever.
    if (parsed.ok ? parsed.message.response : (parsed.header?.response ?? true)) return undefined;
    if (!parsed.ok) return parsed.header && formatError(parsed.header);
    const asked = parsed.message;
    const outcome = handle(asked, { zone, forwarder: this.#options.forwarder });
    if (outcome instanceof Promise) {
      return outcome
        .then((late) => encodeOutcome(asked, transport, late))
        .catch((error: unknown) => this.#failed(query, transport, error));
    }
    if (outcome.kind === 'relay' || plain === undefined) return encodeOutcome(asked, transport, outcome);
    const message = answerMessage(asked, outcome.authoritative, outcome.answer);
    const bytes = encodeMessage(message, limitOf(asked, transport));
    this.#cache.put(plain, query, message, bytes);
    return bytes;
  }

  #failed(query: Buffer, transport: Transport, error: unknown): Response {
    this.#options.log.error({ error, query: query.toString('hex') }, 'DNS question could not be answered');
    const parsed = parseMessage(query);
    return parsed.ok ? encodeOutcome(parsed.message, transport, withCode(RCODE.SERVFAIL)) : undefined;
  }
}

function encodeOutcome(query: Message, transport: Transport, outcome: Outcome): Uint8Array {
  const limit = limitOf(query, transport);
  if (outcome.kind === 'answer') {
    return encodeMessage(answerMessage(query, outcome.authoritative, outcome.answer), limit);
  }
  if (outcome.bytes.length > limit) {
    const nothing = { rcode: RCODE.NOERROR, answers: [], authority: [], additional: [] };
    return encodeMessage({ ...answerMessage(query, false, nothing), truncated: true }, limit);
  }
  const relayed = Uint8Array.from(outcome.bytes);
  relayed[0] = query.id >> 8;
  relayed[1] = query.id & 0xff;
  return relayed;
}

function answerMessage(query: Message, authoritative: boolean, sections: Sections): Message {
  const { rcode, answers, authority, additional } = sections;
  return {
    ...query,
    response: true,
    authoritative,
    truncated: false,
    recursionAvailable: true,
    rcode,
    answers,
    authority,
    additional,
    // Whoever sends OPT gets one, with DO as it was (RFC 6891 section 6.1.1, RFC 3225 section 3).
    edns: query.edns && { payloadSizeBytes: MAX_UDP_BYTES, version: 0, dnssecOk: query.edns.dnssecOk },
  };
}

/** All that can be said to a packet whose header alone could be read. */
function formatError(header: Header): Uint8Array {
  const empty = { questions: [], answers: [], authority: [], additional: [], edns: undefined };
  const flags = { response: true, authoritative: false, truncated: false, recursionAvailable: true };
  return encodeMessage({ ...header, ...flags, ...empty, rcode: RCODE.FORMERR }, PLAIN_UDP_BYTES);
}

function limitOf({ edns }: Message, transport: Transport): number {
  if (transport === 'tcp') return MAX_MESSAGE_BYTES;
  return Math.max(PLAIN_UDP_BYTES, Math.min(edns?.payloadSizeBytes ?? 0, MAX_UDP_BYTES));
}
