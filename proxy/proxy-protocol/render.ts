import { isIPv4 } from 'node:net';
import { crc32c } from './crc32c.ts';
import {
  CRC32C_TYPE,
  type Peer,
  TLV_HEAD_BYTES,
  type Tlv,
  V2_HEAD_BYTES,
  V2_LOCAL,
  V2_PROXY,
  V2_SIGNATURE,
  V2_TCP4,
  V2_TCP6,
} from './header.ts';
import { bytesOfIp } from './ip-bytes.ts';

/**
 * The header to write before a connection's first byte. Version 2 ends with a checksum. Addresses of two families, or none that are known,
 * are said to be unknown.
 */
export function renderProxyHeader(
  version: 1 | 2,
  source: Peer | undefined,
  destination: Peer | undefined,
  tlvs: readonly Tlv[] = [],
): Buffer {
  return version === 1 ? renderV1(source, destination) : renderV2(source, destination, tlvs);
}

function renderV1(source: Peer | undefined, destination: Peer | undefined): Buffer {
  const family = familyOf(source, destination);
  if (source === undefined || destination === undefined || family === undefined) return UNKNOWN;
  const word = family === V2_TCP4 ? 'TCP4' : 'TCP6';
  return Buffer.from(
    `PROXY ${word} ${source.address} ${destination.address} ${source.port} ${destination.port}\r\n`,
    'latin1',
  );
}

const UNKNOWN = Buffer.from('PROXY UNKNOWN\r\n', 'latin1');

function renderV2(source: Peer | undefined, destination: Peer | undefined, tlvs: readonly Tlv[]): Buffer {
  const family = familyOf(source, destination);
  const known = family !== undefined && source !== undefined && destination !== undefined;
  const parts = known ? [addressOf(source), addressOf(destination), portOf(source), portOf(destination)] : [];
  const more = known ? tlvs.map(({ type, value }) => Buffer.concat([tlvHead(type, value.length), value])) : [];
  const body = Buffer.concat([...parts, ...more, tlvHead(CRC32C_TYPE, 4), Buffer.alloc(4)]);
  const head = Buffer.alloc(V2_HEAD_BYTES);
  V2_SIGNATURE.copy(head);
  head[12] = known ? V2_PROXY : V2_LOCAL;
  head[13] = family ?? 0;
  head.writeUInt16BE(body.length, 14);
  const whole = Buffer.concat([head, body]);
  whole.writeUInt32BE(crc32c(whole), whole.length - 4);
  return whole;
}

function familyOf(source: Peer | undefined, destination: Peer | undefined): number | undefined {
  if (source === undefined || destination === undefined) return undefined;
  const isFour = isIPv4(source.address);
  if (isFour !== isIPv4(destination.address)) return undefined;
  if (bytesOfIp(source.address) === undefined || bytesOfIp(destination.address) === undefined) return undefined;
  return isFour ? V2_TCP4 : V2_TCP6;
}

function addressOf({ address }: Peer): Buffer {
  return bytesOfIp(address) ?? Buffer.alloc(0);
}

function portOf({ port }: Peer): Buffer {
  return Buffer.from([port >> 8, port & 0xff]);
}

function tlvHead(type: number, length: number): Buffer {
  const head = Buffer.alloc(TLV_HEAD_BYTES);
  head[0] = type;
  head.writeUInt16BE(length, 1);
  return head;
}
