import type { Forwarder } from './forward.ts';
import { CLASS, OPCODE, RCODE, TYPE } from './wire/codes.ts';
import type { Message, Question, ResourceRecord } from './wire/message.ts';
import { parseMessage } from './wire/parse.ts';
import type { Zone } from './zone.ts';
import { answerFrom, type ZoneAnswer } from './zone-answer.ts';

/** What a handler made of a question. */
export type Outcome =
  | { readonly kind: 'answer'; readonly authoritative: boolean; readonly answer: Sections }
  /** Another server's answer, to be given back as it is but for the id. */
  | { readonly kind: 'relay'; readonly bytes: Uint8Array };

export type Sections = Pick<ZoneAnswer, 'rcode' | 'answers' | 'authority' | 'additional'>;

export interface HandlerContext {
  readonly zone: Zone;
  readonly forwarder: Forwarder;
}

/** Undefined passes the question on to the next handler. */
export type Handler = (query: Message, context: HandlerContext) => Outcome | Promise<Outcome> | undefined;

/** Who answers, in order: the first that does not pass the question on. The last one never does. */
const HANDLERS: readonly Handler[] = [
  refuseOtherOperations,
  refuseLaterEdns,
  refuseOtherThanOneQuestion,
  refuseOtherClasses,
  refuseTransfers,
  answerFromOwnZone,
  forwardElsewhere,
];

export function handle(query: Message, context: HandlerContext): Outcome | Promise<Outcome> {
  for (const handler of HANDLERS) {
    const outcome = handler(query, context);
    if (outcome !== undefined) return outcome;
  }
  return withCode(RCODE.REFUSED);
}

/** NOTIFY, UPDATE and such (RFC 1035 section 4.1.1). */
function refuseOtherOperations({ opcode }: Message): Outcome | undefined {
  return opcode === OPCODE.QUERY ? undefined : withCode(RCODE.NOTIMP);
}

/** RFC 6891 section 6.1.3. */
function refuseLaterEdns({ edns }: Message): Outcome | undefined {
  return edns === undefined || edns.version === 0 ? undefined : withCode(RCODE.BADVERS);
}

/** RFC 9619: a QUERY has one question. */
function refuseOtherThanOneQuestion({ questions }: Message): Outcome | undefined {
  return questions.length === 1 ? undefined : withCode(RCODE.FORMERR);
}

function refuseOtherClasses(query: Message): Outcome | undefined {
  return questionOf(query).class === CLASS.IN ? undefined : withCode(RCODE.REFUSED);
}

function refuseTransfers(query: Message): Outcome | undefined {
  const { type } = questionOf(query);
  return type === TYPE.AXFR || type === TYPE.IXFR ? withCode(RCODE.REFUSED) : undefined;
}

function answerFromOwnZone(
  query: Message,
  { zone, forwarder }: HandlerContext,
): Outcome | Promise<Outcome> | undefined {
  const question = questionOf(query);
  const answer = answerFrom(zone, question);
  if (answer === undefined) return undefined;
  if (answer.elsewhere === undefined) return { kind: 'answer', authoritative: true, answer };
  return followElsewhere(query, answer.answers, answer.elsewhere, forwarder);
}

/** An ExternalName: what other servers know of its target belongs behind our CNAME. */
async function followElsewhere(
  query: Message,
  cnames: readonly ResourceRecord[],
  target: string,
  forwarder: Forwarder,
): Promise<Outcome> {
  const forwarded = await forwarder.resolve({ ...query, questions: [{ ...questionOf(query), name: target }] });
  const parsed = forwarded.ok ? parseMessage(forwarded.bytes) : undefined;
  // Half of an answer would be taken for "no such record".
  if (parsed?.ok !== true) return withCode(RCODE.SERVFAIL);
  const { rcode, answers, authority } = parsed.message;
  const answer = { rcode, answers: [...cnames, ...answers], authority, additional: [] };
  return { kind: 'answer', authoritative: false, answer };
}

async function forwardElsewhere(query: Message, { forwarder }: HandlerContext): Promise<Outcome> {
  const forwarded = await forwarder.resolve(query);
  if (forwarded.ok) return { kind: 'relay', bytes: forwarded.bytes };
  return withCode(forwarded.reason === 'no upstream' ? RCODE.REFUSED : RCODE.SERVFAIL);
}

/** The one question: {@link refuseOtherThanOneQuestion} has seen to it. */
function questionOf({ questions: [question] }: Message): Question {
  if (question === undefined) throw new Error('dns handler: a query without a question came past the check for it');
  return question;
}

/** An answer that is nothing but its code. */
export function withCode(rcode: number): Outcome {
  return { kind: 'answer', authoritative: false, answer: { rcode, answers: [], authority: [], additional: [] } };
}
