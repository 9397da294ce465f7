import { isIPv4, isIPv6 } from 'node:net';

/** The 4 or 16 bytes of an address; undefined when it is none. A zone (`%eth0`) says nothing to others and is left out. */
export function bytesOfIp(text: string): Buffer | undefined {
  if (isIPv4(text)) return Buffer.from(text.split('.').map(Number));
  const [plain = ''] = text.split('%');
  if (!isIPv6(plain)) return undefined;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(plain);
  const tail = dotted === null ? undefined : Buffer.from((dotted[2] ?? '').split('.').map(Number));
  const groups =
    tail === undefined
      ? plain
      : `${dotted?.[1]}${tail.readUInt16BE(0).toString(16)}:${tail.readUInt16BE(2).toString(16)}`;
  const [before = '', after] = groups.split('::');
  const numbers = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const [head, end] = [numbers(before), numbers(after ?? '')];
  const all =
    after === undefined ? head : [...head, ...Array.from({ length: 8 - head.length - end.length }, () => 0), ...end];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

/** As people write it (RFC 5952); an IPv4 address in IPv6's form is the IPv4 address. */
export function ipOfBytes(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  if (MAPPED.equals(bytes.subarray(0, MAPPED.length))) return bytes.subarray(MAPPED.length).join('.');
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16));
  const runs = [...groups.join(':').matchAll(/\b0(?::0)+\b/g)].sort((left, right) => right[0].length - left[0].length);
  const [longest] = runs;
  if (longest === undefined) return groups.join(':');
  const text = groups.join(':');
  const before = text.slice(0, longest.index).replace(/:$/, '');
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, '');
  return `${before}::${after}`;
}

const MAPPED = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);
