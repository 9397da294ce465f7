import { addressBytes } from './wire/address.ts';
import { RCODE, TYPE } from './wire/codes.ts';
import { type Question, type ResourceRecord, record, typeCode } from './wire/message.ts';
import { type Authority, TTL_SECONDS, type Zone } from './zone.ts';

export interface ZoneAnswer {
  readonly rcode: number;
  readonly answers: readonly ResourceRecord[];
  readonly authority: readonly ResourceRecord[];
  readonly additional: readonly ResourceRecord[];
  /** Where a CNAME led out of what we speak for: another server knows what belongs behind `answers`. */
  readonly elsewhere: string | undefined;
}

/** A chain of ExternalNames longer than this is a loop or as good as one. */
const MAX_CNAMES = 8;

const FAILED: ZoneAnswer = {
  rcode: RCODE.SERVFAIL,
  answers: [],
  authority: [],
  additional: [],
  elsewhere: undefined,
};

/** What the zone says to a question of class IN, or undefined when it does not speak for the name. */
export function answerFrom(zone: Zone, { name, type }: Pick<Question, 'name' | 'type'>): ZoneAnswer | undefined {
  const answers: ResourceRecord[] = [];
  let asked = name.toLowerCase();
  for (let cnames = 0; cnames <= MAX_CNAMES; cnames++) {
    const authority = authorityFor(zone, asked);
    const records = zone.names.get(asked) ?? podRecords(zone, asked);
    if (records === undefined) {
      if (authority === undefined) return answers.length === 0 ? undefined : found(answers, [], asked);
      return missing(zone, RCODE.NXDOMAIN, answers, authority);
    }
    if (type === TYPE.ANY) return found([minimalAny(asked)], []);
    const matching = records.filter(({ data }) => typeCode(data) === type);
    if (matching.length > 0) {
      answers.push(...matching);
      return found(answers, additionalFor(zone, matching));
    }
    const [alias] = records;
    if (alias?.data.type !== 'CNAME') {
      return authority === undefined ? found(answers, []) : missing(zone, RCODE.NOERROR, answers, authority);
    }
    answers.push(alias);
    asked = alias.data.target;
  }
  return FAILED;
}

function authorityFor(zone: Zone, name: string): Authority | undefined {
  return zone.authorities.find(({ origin }) => name === origin || name.endsWith(`.${origin}`));
}

function found(
  answers: readonly ResourceRecord[],
  additional: readonly ResourceRecord[],
  elsewhere?: string,
): ZoneAnswer {
  return { rcode: RCODE.NOERROR, answers, authority: [], additional, elsewhere };
}

/** No such name, or no record of that type: either way with the SOA, so that it may be kept (RFC 2308). */
function missing(
  { complete }: Zone,
  rcode: number,
  answers: readonly ResourceRecord[],
  { soa }: Authority,
): ZoneAnswer {
  if (!complete) return FAILED;
  return { rcode, answers, authority: [soa], additional: [], elsewhere: undefined };
}

/** Addresses that the asker will want next (specification, sections 2.3.2 and 2.4.2). */
function additionalFor(zone: Zone, matching: readonly ResourceRecord[]): ResourceRecord[] {
  const targets = new Set(
    matching.flatMap(({ data }) => (data.type === 'SRV' || data.type === 'NS' ? [data.target] : [])),
  );
  return [...targets].flatMap((target) =>
    (zone.names.get(target) ?? []).filter(({ data }) => data.type === 'A' || data.type === 'AAAA'),
  );
}

/** RFC 8482 section 4.2: a small answer to ANY, which else is asked for to turn a small packet into a large one. */
function minimalAny(name: string): ResourceRecord {
  return record(name, TTL_SECONDS, { type: 'HINFO', cpu: 'RFC8482', os: '' });
}

/** `<a>-<b>-<c>-<d>.<namespace>.pod.<zone>`, deprecated but part of the specification (section 2.6). */
function podRecords(zone: Zone, name: string): readonly ResourceRecord[] | undefined {
  const branch = `.pod.${zone.domain}`;
  if (!name.endsWith(branch)) return undefined;
  const [dashed = '', namespace, ...more] = name.slice(0, -branch.length).split('.');
  if (more.length > 0) return undefined;
  // A namespace alone: names below it exist, it has no records.
  if (namespace === undefined) return [];
  const address = dashed.replaceAll('-', '.');
  if (addressBytes(address)?.length !== 4) return undefined;
  return [record(name, TTL_SECONDS, { type: 'A', address })];
}
