import { isIPv4, isIPv6 } from 'node:net';
import { crc32c } from './crc32c.ts';
import {
  CRC32C_TYPE,
  MAX_V1_BYTES,
  MAX_V2_BYTES,
  NOOP_TYPE,
  type Peer,
  type ProxyHeader,
  TLV_HEAD_BYTES,
  type Tlv,
  V2_HEAD_BYTES,
  V2_LOCAL,
  V2_PROXY,
  V2_SIGNATURE,
  V2_TCP4,
  V2_TCP6,
} from './header.ts';
import { ipOfBytes } from './ip-bytes.ts';

export type ProxyHeaderResult =
  | { readonly kind: 'header'; readonly header: ProxyHeader }
  /** `missing`: the bytes begin with no header at all. */
  | { readonly kind: 'refused'; readonly reason: 'missing' | 'broken'; readonly message: string };

const V1_BEGIN = Buffer.from('PROXY ', 'latin1');
const LINE = /^PROXY (TCP4|TCP6) (\S+) (\S+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/;
const MAX_PORT = 65_535;
const V2_UNIX_BYTES = 216;

/**
 * Reads a PROXY protocol header, version 1 or 2, out of a connection's first bytes (HAProxy's doc/proxy-protocol.txt); undefined while there are
 * too few. Strict: the text of an address is one that means it, lengths hold, a checksum that is there is right. Pure.
 */
export function parseProxyHeader(bytes: Buffer): ProxyHeaderResult | undefined {
  if (begins(bytes, V2_SIGNATURE)) return bytes.length < V2_HEAD_BYTES ? undefined : parseV2(bytes);
  if (begins(bytes, V1_BEGIN)) return bytes.length < V1_BEGIN.length ? undefined : parseV1(bytes);
  return { kind: 'refused', reason: 'missing', message: 'the connection begins with no PROXY protocol header' };
}

/** As far as there are bytes. */
function begins(bytes: Buffer, with_: Buffer): boolean {
  const length = Math.min(bytes.length, with_.length);
  return bytes.subarray(0, length).equals(with_.subarray(0, length));
}

function broken(message: string): ProxyHeaderResult {
  return { kind: 'refused', reason: 'broken', message };
}

function parseV1(bytes: Buffer): ProxyHeaderResult | undefined {
  const end = bytes.subarray(0, MAX_V1_BYTES).indexOf('\r\n');
  if (end < 0) return bytes.length < MAX_V1_BYTES ? undefined : broken(`the line is longer than ${MAX_V1_BYTES} bytes`);
  const line = bytes.toString('latin1', 0, end);
  const found = (source?: Peer, destination?: Peer): ProxyHeaderResult => ({
    kind: 'header',
    header: { version: 1, source, destination, tlvs: [], bytes: end + 2 },
  });
  // What follows UNKNOWN is to be ignored.
  if (line === 'PROXY UNKNOWN' || line.startsWith('PROXY UNKNOWN ')) return found();
  const [, family, from = '', to = '', fromPort = '', toPort = ''] = LINE.exec(line) ?? [];
  if (family === undefined) return broken('the line is no PROXY line');
  const isAddress = family === 'TCP4' ? isIPv4 : isPlainIPv6;
  if (!isAddress(from) || !isAddress(to)) return broken(`an address is none of ${family}`);
  if (Number(fromPort) > MAX_PORT || Number(toPort) > MAX_PORT) return broken('a port is none');
  return found({ address: from, port: Number(fromPort) }, { address: to, port: Number(toPort) });
}

function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

function parseV2(bytes: Buffer): ProxyHeaderResult | undefined {
  const command = bytes[12] ?? 0;
  const family = bytes[13] ?? 0;
  const length = bytes.readUInt16BE(14);
  const total = V2_HEAD_BYTES + length;
  if (command !== V2_LOCAL && command !== V2_PROXY) return broken(`version and command are 0x${command.toString(16)}`);
  const addressBytes = ADDRESS_BYTES.get(family);
  if (addressBytes === undefined) return broken(`address family and protocol are 0x${family.toString(16)}`);
  if (total > MAX_V2_BYTES) return broken(`the header has ${total} bytes, at most ${MAX_V2_BYTES} are read`);
  if (bytes.length < total) return undefined;
  const whole = bytes.subarray(0, total);
  const local = (tlvs: readonly Tlv[] = []): ProxyHeaderResult => ({
    kind: 'header',
    header: { version: 2, source: undefined, destination: undefined, tlvs, bytes: total },
  });
  // Of a connection of the sender's own the rest is to be skipped, whatever it is.
  if (command === V2_LOCAL) return local();
  if (length < addressBytes) return broken('the addresses go beyond the end');
  const tlvs = tlvsOf(whole, V2_HEAD_BYTES + addressBytes);
  if (typeof tlvs === 'string') return broken(tlvs);
  if (family !== V2_TCP4 && family !== V2_TCP6) return local(tlvs);
  const size = family === V2_TCP4 ? 4 : 16;
  const at = V2_HEAD_BYTES;
  const peer = (address: number, port: number): Peer => ({
    address: ipOfBytes(whole.subarray(address, address + size)),
    port: whole.readUInt16BE(port),
  });
  const ports = at + 2 * size;
  return {
    kind: 'header',
    header: { version: 2, source: peer(at, ports), destination: peer(at + size, ports + 2), tlvs, bytes: total },
  };
}

/** Families and protocols of streams, with what their addresses take; datagrams do not come by TCP. */
const ADDRESS_BYTES: ReadonlyMap<number, number> = new Map([
  [0x00, 0],
  [V2_TCP4, 12],
  [V2_TCP6, 36],
  [0x31, V2_UNIX_BYTES],
]);

/** What stands behind the addresses; words when it is not sound. */
function tlvsOf(whole: Buffer, start: number): readonly Tlv[] | string {
  const tlvs: Tlv[] = [];
  let isChecked = false;
  for (let at = start; at < whole.length; ) {
    if (at + TLV_HEAD_BYTES > whole.length) return 'a TLV goes beyond the end';
    const type = whole[at] ?? 0;
    const begin = at + TLV_HEAD_BYTES;
    const end = begin + whole.readUInt16BE(at + 1);
    if (end > whole.length) return 'a TLV goes beyond the end';
    if (type === CRC32C_TYPE) {
      if (isChecked) return 'there are two checksums';
      if (end - begin !== 4 || !isRight(whole, begin)) return 'the checksum (CRC32C) is wrong';
      isChecked = true;
    } else if (type !== NOOP_TYPE) tlvs.push({ type, value: Buffer.from(whole.subarray(begin, end)) });
    at = end;
  }
  return tlvs;
}

/** The checksum is of the whole header with zeros in its own place. */
function isRight(whole: Buffer, at: number): boolean {
  const zeroed = Buffer.from(whole);
  zeroed.fill(0, at, at + 4);
  return crc32c(zeroed) === whole.readUInt32BE(at);
}
