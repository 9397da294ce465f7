import { addressBytes } from './address.ts';
import { TYPE } from './codes.ts';
import type { Edns, Message, RecordData, ResourceRecord } from './message.ts';
import { typeCode } from './message.ts';
import { encodeName, type NameTable } from './name.ts';

/** Most that a message over TCP may have: its length is told in two bytes (RFC 1035 section 4.2.2). */
export const MAX_MESSAGE_BYTES = 65_535;
const OPT_BYTES = 11;

/**
 * The message in at most `limitBytes`. Records that do not fit are left out: from answers and authority with the TC
 * flag, so that the asker comes again over TCP; from the additional section without (RFC 2181 section 9).
 * Names and addresses must be encodable: the zone sees to it when it is built.
 */
export function encodeMessage(message: Message, limitBytes: number): Uint8Array {
  const bytes: number[] = [];
  const table: NameTable = new Map();
  push16(bytes, message.id, 0, message.questions.length, 0, 0, 0);
  for (const { name, type, class: questionClass } of message.questions) {
    bytes.push(...encodeName(name, bytes.length, table));
    push16(bytes, type, questionClass);
  }

  const room = limitBytes - (message.edns === undefined ? 0 : OPT_BYTES);
  const answers = pushRecords(bytes, message.answers, room, table);
  const authority = answers < message.answers.length ? 0 : pushRecords(bytes, message.authority, room, table);
  const cut = answers < message.answers.length || authority < message.authority.length;
  let additional = cut ? 0 : pushRecords(bytes, message.additional, room, table);
  if (message.edns !== undefined) {
    pushOpt(bytes, message.edns, message.rcode);
    additional += 1;
  }

  const encoded = Uint8Array.from(bytes);
  const flags = flagsOf(message, message.truncated || cut);
  const counts = [flags, message.questions.length, answers, authority, additional];
  for (const [index, value] of counts.entries()) {
    encoded[2 + index * 2] = value >> 8;
    encoded[3 + index * 2] = value & 0xff;
  }
  return encoded;
}

function flagsOf(message: Message, truncated: boolean): number {
  return (
    (message.response ? 0x8000 : 0) |
    (message.opcode << 11) |
    (message.authoritative ? 0x0400 : 0) |
    (truncated ? 0x0200 : 0) |
    (message.recursionDesired ? 0x0100 : 0) |
    (message.recursionAvailable ? 0x0080 : 0) |
    (message.checkingDisabled ? 0x0010 : 0) |
    (message.rcode & 0xf)
  );
}

/** How many of the records fitted. What the name table learnt from one that did not is forgotten. */
function pushRecords(bytes: number[], records: readonly ResourceRecord[], room: number, table: NameTable): number {
  for (const [index, record] of records.entries()) {
    const start = bytes.length;
    pushRecord(bytes, record, table);
    if (bytes.length > room) {
      bytes.length = start;
      for (const [name, offset] of table) if (offset >= start) table.delete(name);
      return index;
    }
  }
  return records.length;
}

function pushRecord(bytes: number[], record: ResourceRecord, table: NameTable): void {
  bytes.push(...encodeName(record.name, bytes.length, table));
  push16(bytes, typeCode(record.data), record.class);
  push32(bytes, record.ttlSeconds);
  push16(bytes, 0);
  const from = bytes.length;
  pushData(bytes, record.data, table);
  const length = bytes.length - from;
  bytes[from - 2] = length >> 8;
  bytes[from - 1] = length & 0xff;
}

function pushData(bytes: number[], data: RecordData, table: NameTable): void {
  switch (data.type) {
    case 'A':
    case 'AAAA': {
      const address = addressBytes(data.address);
      if (address === undefined) throw new Error(`encode ${data.type} "${data.address}": not an address`);
      bytes.push(...address);
      return;
    }
    case 'NS':
    case 'CNAME':
    case 'PTR':
      bytes.push(...encodeName(data.target, bytes.length, table));
      return;
    case 'MX':
      push16(bytes, data.preference);
      bytes.push(...encodeName(data.target, bytes.length, table));
      return;
    case 'SRV':
      push16(bytes, data.priority, data.weight, data.port);
      // RFC 2782: name compression is not to be used for the target.
      bytes.push(...encodeName(data.target, bytes.length, undefined));
      return;
    case 'TXT':
      for (const text of data.texts) pushText(bytes, text);
      return;
    case 'HINFO':
      pushText(bytes, data.cpu);
      pushText(bytes, data.os);
      return;
    case 'SOA':
      bytes.push(...encodeName(data.primary, bytes.length, table));
      bytes.push(...encodeName(data.mailbox, bytes.length, table));
      for (const value of [data.serial, data.refreshSeconds, data.retrySeconds, data.expireSeconds]) {
        push32(bytes, value);
      }
      push32(bytes, data.minimumSeconds);
      return;
    case 'other':
      bytes.push(...data.bytes);
      return;
    default:
      data satisfies never;
  }
}

function pushOpt(bytes: number[], edns: Edns, rcode: number): void {
  bytes.push(0);
  push16(bytes, TYPE.OPT, edns.payloadSizeBytes);
  bytes.push(rcode >> 4, edns.version);
  push16(bytes, edns.dnssecOk ? 0x8000 : 0, 0);
}

/** A character-string: at most 255 bytes behind their length. */
function pushText(bytes: number[], text: string): void {
  const kept = text.slice(0, 255);
  bytes.push(kept.length, ...Array.from(kept, (character) => character.charCodeAt(0) & 0xff));
}

function push16(bytes: number[], ...values: readonly number[]): void {
  for (const value of values) bytes.push((value >> 8) & 0xff, value & 0xff);
}

function push32(bytes: number[], value: number): void {
  push16(bytes, value >>> 16, value & 0xffff);
}
