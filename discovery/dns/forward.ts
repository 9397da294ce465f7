import { randomInt } from 'node:crypto';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import { type Exchange, exchangeTcp, exchangeUdp } from './exchange.ts';
import { ForwardCache } from './forward-cache.ts';
import type { Upstream } from './upstream.ts';
import { RCODE } from './wire/codes.ts';
import { encodeMessage } from './wire/encode.ts';
import type { Message } from './wire/message.ts';

/** What a server may take for one try; with all tries it stays below the five seconds of resolv.conf(5). */
const TRY_TIMEOUT_MS = 1500;
const MAX_TRIES = 3;
/** Questions under way at once. What comes on top is answered SERVFAIL at once instead of waiting. */
const MAX_IN_FLIGHT = 500;
const UDP_PAYLOAD_BYTES = 1232;

export type Forwarded =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly reason: 'no upstream' | 'busy' | 'no answer' };

export interface ForwarderOptions {
  readonly upstreams: readonly Upstream[];
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Asks other servers: the one that answered last first, the next when one does not answer or cannot (SERVFAIL, REFUSED); over
 * TCP when UDP was too small. Answers are kept for a while, and a question that is under way is not asked a second time.
 */
export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #closed = new AbortController();
  readonly #cache: ForwardCache;
  /** By the question's very bytes but for the id. */
  readonly #underWay = new Map<string, Promise<Forwarded>>();
  #preferred = 0;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#cache = new ForwardCache(options.clock);
  }

  /** The answer's bytes, with an id of ours: whoever relays it puts in the asker's. */
  async resolve(query: Message): Promise<Forwarded> {
    if (this.#options.upstreams.length === 0) return { ok: false, reason: 'no upstream' };
    const cached = this.#cache.get(query);
    if (cached !== undefined) return { ok: true, bytes: cached };
    const asked = queryFor(query);
    const key = Buffer.from(asked.subarray(2)).toString('latin1');
    const underWay = this.#underWay.get(key);
    if (underWay !== undefined) return await underWay;
    if (this.#underWay.size >= MAX_IN_FLIGHT) return { ok: false, reason: 'busy' };
    const answer = this.#ask(asked).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, answer);
    const forwarded = await answer;
    if (forwarded.ok) this.#cache.put(query, forwarded.bytes);
    return forwarded;
  }

  close(): void {
    this.#closed.abort();
  }

  async #ask(query: Uint8Array): Promise<Forwarded> {
    const { upstreams, log } = this.#options;
    const first = this.#preferred;
    let unable: Uint8Array | undefined;
    for (let at = 0; at < MAX_TRIES && !this.#closed.signal.aborted; at++) {
      const index = (first + at) % upstreams.length;
      const upstream = upstreams[index];
      if (upstream === undefined) break;
      const answer = await this.#askOne(upstream, query);
      if (answer !== undefined && !isUnable(answer)) {
        this.#preferred = index;
        return { ok: true, bytes: answer };
      }
      // With a single server its SERVFAIL is the answer; asking again at once would only double its load.
      if (answer !== undefined && upstreams.length === 1) return { ok: true, bytes: answer };
      unable = answer ?? unable;
      log.debug({ upstream, answer: answer === undefined ? 'none' : 'unable' }, 'upstream did not resolve');
    }
    return unable === undefined ? { ok: false, reason: 'no answer' } : { ok: true, bytes: unable };
  }

  async #askOne(upstream: Upstream, query: Uint8Array): Promise<Uint8Array | undefined> {
    const { clock } = this.#options;
    const ask = (exchange: Exchange): Promise<Uint8Array | undefined> =>
      exchange(upstream, query, { clock, timeoutMs: TRY_TIMEOUT_MS, signal: this.#closed.signal });
    const answer = await ask(exchangeUdp);
    return answer !== undefined && isTruncated(answer) ? await ask(exchangeTcp) : answer;
  }
}

/** The asker's question with our id and our EDNS: OPT is for one hop (RFC 6891 section 6.1.1). */
function queryFor({ questions, checkingDisabled, edns }: Message): Uint8Array {
  const message: Message = {
    id: randomInt(0x1_0000),
    response: false,
    opcode: 0,
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: false,
    checkingDisabled,
    rcode: RCODE.NOERROR,
    questions,
    answers: [],
    authority: [],
    additional: [],
    edns: edns && { payloadSizeBytes: UDP_PAYLOAD_BYTES, version: 0, dnssecOk: edns.dnssecOk },
  };
  return encodeMessage(message, UDP_PAYLOAD_BYTES);
}

function isTruncated(answer: Uint8Array): boolean {
  return ((answer[2] ?? 0) & 0x02) !== 0;
}

function isUnable(answer: Uint8Array): boolean {
  const rcode = (answer[3] ?? 0) & 0xf;
  return rcode === RCODE.SERVFAIL || rcode === RCODE.REFUSED;
}
