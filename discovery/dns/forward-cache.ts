import type { Clock } from '../../kit/clock.ts';
import { RCODE } from './wire/codes.ts';
import { encodeMessage, MAX_MESSAGE_BYTES } from './wire/encode.ts';
import type { Message, ResourceRecord } from './wire/message.ts';
import { parseMessage } from './wire/parse.ts';

/** One that is older goes when there are more. */
const MAX_ANSWERS = 2048;
/** The most that an answer may be behind, positive or not: the default of CoreDNS in a Kubernetes cluster (`cache 30`). */
const MAX_TTL_SECONDS = 30;
/**
 * Types up to here (DNAME's neighbours, RFC 1183 and older) may have names in their data that point elsewhere in the message: what we
 * do not read we could not write anew. Later ones must not (RFC 3597 section 4).
 */
const LAST_COMPRESSIBLE_TYPE = 40;

interface Kept {
  readonly message: Message;
  readonly sinceMs: number;
  readonly untilMs: number;
}

/**
 * Other servers' answers for as long as their records allow: "no such name" and "no such record" for as long as the SOA beside them says
 * (RFC 2308 section 5). What is not an answer (SERVFAIL and such) is not kept.
 */
export class ForwardCache {
  readonly #kept = new Map<string, Kept>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The answer's bytes, with the question as it is spelled now, and TTLs lower by the time that has passed. */
  get(query: Message): Uint8Array | undefined {
    const key = keyOf(query);
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    const now = this.#clock.monotonic();
    if (now >= kept.untilMs) {
      this.#kept.delete(key);
      return undefined;
    }
    const age = Math.floor((now - kept.sinceMs) / 1000);
    const aged = (records: readonly ResourceRecord[]): ResourceRecord[] =>
      records.map((each) => ({ ...each, ttlSeconds: Math.max(0, each.ttlSeconds - age) }));
    const { answers, authority, additional } = kept.message;
    const answer = {
      ...kept.message,
      questions: query.questions,
      authoritative: false,
      answers: aged(answers),
      authority: aged(authority),
      additional: aged(additional),
    };
    return encodeMessage(answer, MAX_MESSAGE_BYTES);
  }

  put(query: Message, bytes: Uint8Array): void {
    const parsed = parseMessage(bytes);
    if (!parsed.ok) return;
    const ttlSeconds = lifetimeOf(parsed.message);
    if (ttlSeconds <= 0) return;
    const key = keyOf(query);
    this.#kept.delete(key);
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined && this.#kept.size >= MAX_ANSWERS) this.#kept.delete(oldest);
    const sinceMs = this.#clock.monotonic();
    this.#kept.set(key, { message: parsed.message, sinceMs, untilMs: sinceMs + ttlSeconds * 1000 });
  }
}

/** 0: not to be kept. */
function lifetimeOf({ rcode, truncated, answers, authority, additional }: Message): number {
  if (truncated || (rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN)) return 0;
  const all = [...answers, ...authority, ...additional];
  if (all.some(({ data }) => data.type === 'other' && data.code <= LAST_COMPRESSIBLE_TYPE)) return 0;
  const told = answers.map(({ ttlSeconds }) => ttlSeconds);
  const denied = authority.flatMap(({ data, ttlSeconds }) =>
    data.type === 'SOA' ? [ttlSeconds, data.minimumSeconds] : [],
  );
  // A CNAME whose target has no such record comes with answers and a SOA: then both bound it.
  return told.length + denied.length === 0 || (rcode === RCODE.NXDOMAIN && denied.length === 0)
    ? 0
    : Math.min(MAX_TTL_SECONDS, ...told, ...denied);
}

/** All on which an answer depends: the asker's EDNS and CD change what a server says. */
function keyOf({ questions, checkingDisabled, edns }: Message): string {
  const asked = questions.map(({ name, type, class: klass }) => `${name.toLowerCase()} ${type} ${klass}`);
  const options = edns === undefined ? 'plain' : `edns ${edns.dnssecOk}`;
  return [...asked, options, checkingDisabled].join(' ');
}
