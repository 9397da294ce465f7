import { addressText } from './address.ts';
import { TYPE } from './codes.ts';
import type { Edns, Header, Message, Question, RecordData, ResourceRecord } from './message.ts';
import { readName } from './name.ts';

export const HEADER_BYTES = 12;

/** What came of reading a packet. A malformed one has its header where there was one, so that it can be answered. */
export type Parsed =
  | { readonly ok: true; readonly message: Message }
  | { readonly ok: false; readonly reason: string; readonly header: Header | undefined };

/** Reads a message (RFC 1035 section 4, RFC 6891). Never throws, whatever the bytes; what is left over is malformed too. */
export function parseMessage(bytes: Uint8Array): Parsed {
  const header = parseHeader(bytes);
  if (header === undefined) return { ok: false, reason: 'shorter than a header', header };
  const malformed = (reason: string): Parsed => ({ ok: false, reason, header });

  let at = HEADER_BYTES;
  const questions: Question[] = [];
  for (let left = uint16(bytes, 4); left > 0; left--) {
    const name = readName(bytes, at);
    if (name === undefined || name.end + 4 > bytes.length) return malformed('question');
    questions.push({ name: name.name, type: uint16(bytes, name.end), class: uint16(bytes, name.end + 2) });
    at = name.end + 4;
  }

  const sections: [ResourceRecord[], ResourceRecord[], ResourceRecord[]] = [[], [], []];
  let edns: Edns | undefined;
  let rcodeHigh = 0;
  for (const [index, section] of sections.entries()) {
    for (let left = uint16(bytes, 6 + index * 2); left > 0; left--) {
      const read = readRecord(bytes, at);
      if (read === undefined) return malformed('record');
      at = read.end;
      if (read.code !== TYPE.OPT) {
        section.push(read.record);
      } else {
        // One OPT, owned by the root, in the additional section (RFC 6891 sections 6.1.1 and 6.1.2).
        if (index !== 2 || edns !== undefined || read.record.name !== '') return malformed('OPT record');
        edns = readEdns(read.record);
        rcodeHigh = read.record.ttlSeconds >>> 24;
      }
    }
  }
  if (at !== bytes.length) return malformed('bytes after the message');

  const [answers, authority, additional] = sections;
  const rcode = header.rcode | (rcodeHigh << 4);
  return { ok: true, message: { ...header, rcode, questions, answers, authority, additional, edns } };
}

function parseHeader(bytes: Uint8Array): Header | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const flags = uint16(bytes, 2);
  return {
    id: uint16(bytes, 0),
    response: (flags & 0x8000) !== 0,
    opcode: (flags >> 11) & 0xf,
    authoritative: (flags & 0x0400) !== 0,
    truncated: (flags & 0x0200) !== 0,
    recursionDesired: (flags & 0x0100) !== 0,
    recursionAvailable: (flags & 0x0080) !== 0,
    checkingDisabled: (flags & 0x0010) !== 0,
    rcode: flags & 0xf,
  };
}

interface ReadRecord {
  readonly code: number;
  readonly record: ResourceRecord;
  readonly end: number;
}

function readRecord(bytes: Uint8Array, start: number): ReadRecord | undefined {
  const owner = readName(bytes, start);
  if (owner === undefined || owner.end + 10 > bytes.length) return undefined;
  const at = owner.end;
  const code = uint16(bytes, at);
  const from = at + 10;
  const end = from + uint16(bytes, at + 8);
  if (end > bytes.length) return undefined;
  const data = readData(bytes, code, from, end);
  if (data === undefined) return undefined;
  const record = { name: owner.name, class: uint16(bytes, at + 2), ttlSeconds: uint32(bytes, at + 4), data };
  return { code, record, end };
}

/** The OPT record keeps its values where others have class and TTL (RFC 6891 section 6.1.2). */
function readEdns({ class: payloadSizeBytes, ttlSeconds: bits }: ResourceRecord): Edns {
  return { payloadSizeBytes, version: (bits >>> 16) & 0xff, dnssecOk: (bits & 0x8000) !== 0 };
}

function readData(bytes: Uint8Array, code: number, from: number, end: number): RecordData | undefined {
  switch (code) {
    case TYPE.A:
      return end - from === 4 ? { type: 'A', address: addressText(bytes.subarray(from, end)) } : undefined;
    case TYPE.AAAA:
      return end - from === 16 ? { type: 'AAAA', address: addressText(bytes.subarray(from, end)) } : undefined;
    case TYPE.NS:
      return withTarget(bytes, from, end, (target) => ({ type: 'NS', target }));
    case TYPE.CNAME:
      return withTarget(bytes, from, end, (target) => ({ type: 'CNAME', target }));
    case TYPE.PTR:
      return withTarget(bytes, from, end, (target) => ({ type: 'PTR', target }));
    case TYPE.MX: {
      const preference = uint16(bytes, from);
      return withTarget(bytes, from + 2, end, (target) => ({ type: 'MX', preference, target }));
    }
    case TYPE.SRV: {
      const [priority, weight, port] = [uint16(bytes, from), uint16(bytes, from + 2), uint16(bytes, from + 4)];
      return withTarget(bytes, from + 6, end, (target) => ({ type: 'SRV', priority, weight, port, target }));
    }
    case TYPE.TXT: {
      const texts = readTexts(bytes, from, end);
      return texts === undefined ? undefined : { type: 'TXT', texts };
    }
    case TYPE.HINFO: {
      const [cpu, os, ...more] = readTexts(bytes, from, end) ?? [];
      return cpu === undefined || os === undefined || more.length > 0 ? undefined : { type: 'HINFO', cpu, os };
    }
    case TYPE.SOA:
      return readSoa(bytes, from, end);
    default:
      return { type: 'other', code, bytes: bytes.slice(from, end) };
  }
}

function withTarget(
  bytes: Uint8Array,
  from: number,
  end: number,
  build: (target: string) => RecordData,
): RecordData | undefined {
  const target = readName(bytes, from);
  return target?.end === end ? build(target.name) : undefined;
}

function readTexts(bytes: Uint8Array, from: number, end: number): string[] | undefined {
  const texts: string[] = [];
  let at = from;
  while (at < end) {
    const next = at + 1 + (bytes[at] ?? 0);
    if (next > end) return undefined;
    texts.push(String.fromCharCode(...bytes.subarray(at + 1, next)));
    at = next;
  }
  return texts.length === 0 ? undefined : texts;
}

function readSoa(bytes: Uint8Array, from: number, end: number): RecordData | undefined {
  const primary = readName(bytes, from);
  const mailbox = primary === undefined ? undefined : readName(bytes, primary.end);
  if (primary === undefined || mailbox === undefined || mailbox.end + 20 !== end) return undefined;
  const at = mailbox.end;
  return {
    type: 'SOA',
    primary: primary.name,
    mailbox: mailbox.name,
    serial: uint32(bytes, at),
    refreshSeconds: uint32(bytes, at + 4),
    retrySeconds: uint32(bytes, at + 8),
    expireSeconds: uint32(bytes, at + 12),
    minimumSeconds: uint32(bytes, at + 16),
  };
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function uint32(bytes: Uint8Array, at: number): number {
  return ((uint16(bytes, at) << 16) | uint16(bytes, at + 2)) >>> 0;
}
