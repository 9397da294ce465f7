import assert from 'node:assert/strict';
import { isIPv4, isIPv6 } from 'node:net';
import { readClientHello } from '../../../proxy/detection/client-hello.ts';
import { likelySpokenBy, MAX_LOOKED_AT_BYTES, spokenBy } from '../../../proxy/detection/first-bytes.ts';
import { MAX_V2_BYTES, type Peer, type ProxyHeader, type Tlv } from '../../../proxy/proxy-protocol/header.ts';
import { bytesOfIp, ipOfBytes } from '../../../proxy/proxy-protocol/ip-bytes.ts';
import { parseProxyHeader } from '../../../proxy/proxy-protocol/parse.ts';
import { renderProxyHeader } from '../../../proxy/proxy-protocol/render.ts';
import {
  alpn,
  extension,
  handshake,
  nameEntry,
  record,
  records,
  serverName,
} from '../../../proxy/test-support/hello-bytes.ts';
import { damaged, damagedRequest } from './damaged.ts';
import { Draw } from './draw.ts';
import { type Property, property } from './property.ts';
import { secondOpinion } from './second-opinion.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

const around = Buffer.alloc(4096);
const MARGIN = 32;

/** The same bytes with others on both sides, as they lie in a buffer that is used for every read. */
function within(bytes: Buffer): Buffer {
  const end = MARGIN + bytes.length;
  if (end + MARGIN > around.length) return bytes;
  around.fill(0x41, 0, MARGIN).fill(0x41, end, end + MARGIN);
  bytes.copy(around, MARGIN);
  return around.subarray(MARGIN, end);
}

const EVERY_CUT_UP_TO = 64;

/**
 * An answer that comes early is the answer; and what lies around the bytes has no part in it: one or the other in turn, by `at`. `find`
 * tells in words what it found.
 */
function isUnmovedByCuts(bytes: Buffer, at: number, find: (held: Buffer) => string | undefined): void {
  const answer = find(bytes);
  if (at % 3 === 0) assert.equal(find(within(bytes)), answer, 'what lies around the bytes has been read');
  else {
    const every = bytes.length <= EVERY_CUT_UP_TO && at % 16 === 1;
    for (let end = every ? 0 : at % (bytes.length + 1); end < bytes.length; end++) {
      const early = find(bytes.subarray(0, end));
      if (early !== undefined) assert.equal(early, answer, `the first ${end} bytes say something else`);
      if (!every) break;
    }
  }
}

// RFC 9112 section 3, with the empty lines of section 2.2 before it.
const HTTP_BEGINS = /^[\r\n]*[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32} [^\x00-\x20\x7f]+ HTTP\/(\d\.\d)\r?\n/;
const H2_BEGINS = /^[\r\n]*PRI \* HTTP\/2\.0\r?\n/;
const TLS_BEGINS = /^\x16\x03/;
/** What makes a request line of every beginning of one. */
const ENDINGS = [
  ...Array.from('X / HTTP/1.1\r\n', (_, at) => 'X / HTTP/1.1\r\n'.slice(at)),
  '.1\r\n',
  ' HTTP/1.1\r\n',
  'a HTTP/1.1\r\n',
  '\x03',
  '\x16\x03',
];

const OPENINGS = [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST /a?b=c HTTP/1.0\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\x16\x03\x01\x02\x00\x01',
  '*1\r\n$4\r\nPING\r\n',
  'GET key\r\n',
  'EHLO mail.example\r\n',
  'SSH-2.0-OpenSSH_9.2\r\n',
  '\x4a\x00\x00\x00\x0a8.0.36',
  '\r\n\r\n\0\r\nQUIT\n',
];
const OPENING_PIECES = [
  '\r\n',
  '\r',
  '\n',
  ' ',
  '/',
  '*',
  '\0',
  'GET ',
  'PRI ',
  'HTTP/',
  'HTTP/1.1\r\n',
  '2.0',
  '\x16',
  '\x03',
];

interface Opening {
  readonly text: string;
  readonly at: number;
}

function opening(draw: Draw): Opening {
  const text = draw.oneIn(4) ? damagedRequest(draw) : damaged(draw, OPENINGS, OPENING_PIECES);
  return { text, at: draw.below(4096) };
}

function speaksAsItsLineSays({ text, at }: Opening): void {
  const bytes = latin1(text);
  isUnmovedByCuts(bytes, at, spokenBy);
  const spoken = spokenBy(bytes);
  const [, version = ''] = HTTP_BEGINS.exec(text) ?? [];
  if (TLS_BEGINS.test(text)) assert.equal(spoken, 'tls');
  else if (H2_BEGINS.test(text)) assert.equal(spoken, 'h2c');
  else if (version !== '') assert.equal(spoken, version === '1.0' ? 'http/1.0' : 'http/1.1');
  else {
    const couldBe = ENDINGS.some((ending) => HTTP_BEGINS.test(text + ending) || TLS_BEGINS.test(text + ending));
    assert.equal(spoken, couldBe ? undefined : 'bytes');
  }
  assert.equal(likelySpokenBy(bytes), spoken ?? likelySpokenBy(bytes));
  if (at % 16 === 0 && text.includes('\r\n\r\n') && /^\s*[A-Z]+ \S+ HTTP/.test(text)) {
    const { headDone, error } = secondOpinion('request', text.replace(/^[\r\n]+/, ''));
    if (headDone && error === '') assert.match(spoken ?? '', /^http/, 'llhttp reads it as a request');
  }
}

interface Repeated {
  readonly begin: string;
  readonly piece: string;
}

const PIECES_TO_REPEAT = [...OPENINGS.flatMap((text) => [text.slice(0, 1), text.slice(0, 3)]), ...OPENING_PIECES, 'a'];

function isKnownByTheLimit({ begin, piece }: Repeated): void {
  const text = begin + piece.repeat(MAX_LOOKED_AT_BYTES / piece.length + 1);
  const bytes = latin1(text);
  const spoken = spokenBy(bytes.subarray(0, MAX_LOOKED_AT_BYTES));
  assert.notEqual(spoken, undefined, 'more than the limit would be kept');
  assert.equal(spokenBy(bytes), spoken);
}

interface DrawnHello {
  readonly name: string;
  readonly protocols: readonly string[];
  readonly bytes: string;
  readonly isWhole: boolean;
  readonly at: number;
}

const NAMES = ['', 'a', 'shop.example', '_x.a-b.example', 'xn--caf-dma.example', 'a.b.c.d.e'];
const PROTOCOLS = ['h2', 'http/1.1', 'tutti-tcp', 'acme-tls/1'];
export const HELLO_PIECES = [
  '\x16\x03\x01\x00\x05',
  '\0',
  '\0\0',
  '\xff\xff',
  '\x00\x10',
  '\x01',
  '\0\0\0\x05\0\x03',
  '.',
  'a',
];

interface SoundHello {
  readonly name: string;
  readonly protocols: readonly string[];
  readonly bytes: string;
}

/** A ClientHello as a client could send it, in one record or several. */
function soundHello(draw: Draw): SoundHello {
  const name = draw.pick(NAMES);
  const protocols = draw.some(3, () => draw.pick(PROTOCOLS));
  const others = draw.some(2, () => draw.below(200) + 100);
  const message = handshake([
    ...(name === '' ? [] : [serverName(nameEntry(name))]),
    ...(protocols.length === 0 ? [] : [alpn(...protocols)]),
    ...[...new Set(others)].map((type) => extension(type, latin1(draw.bytes(draw.below(9))))),
  ]);
  const bytes = draw.oneIn(2) ? record(message) : records(message, draw.below(40) + 8);
  return { name, protocols, bytes: bytes.toString('latin1') };
}

const SOUND_HELLOS = Array.from({ length: 256 }, (_, seed) => soundHello(new Draw(seed)));

/** In two of three something is damaged. */
function drawnHello(draw: Draw): DrawnHello {
  const sound = draw.pick(SOUND_HELLOS);
  const bytes = draw.oneIn(3) ? sound.bytes : damaged(draw, [sound.bytes], HELLO_PIECES);
  return { ...sound, bytes, isWhole: bytes === sound.bytes, at: draw.below(4096) };
}

const HOST_NAME = /^(?:[a-z0-9_-]+\.)*[a-z0-9_-]+$/;

function helloInWords(held: Buffer): string | undefined {
  const hello = readClientHello(held);
  return hello?.kind === 'hello' ? `${hello.serverName} ${hello.protocols.join()}` : hello?.message;
}

function helloIsRead({ name, protocols, bytes: text, isWhole, at }: DrawnHello): void {
  isUnmovedByCuts(latin1(text), at, helloInWords);
  const hello = readClientHello(latin1(text));
  if (isWhole) assert.deepEqual(hello, { kind: 'hello', serverName: name, protocols });
  if (hello?.kind !== 'hello') return;
  if (hello.serverName !== '') {
    assert.match(hello.serverName, HOST_NAME);
    assert.ok(
      text
        .toLowerCase()
        .replaceAll(/\x16\x03.../gs, '')
        .includes(hello.serverName),
      'a name that nobody sent',
    );
  }
}

function inWords({ version, source, destination, tlvs, bytes }: ProxyHeader): string {
  const said = tlvs.map(({ type, value }) => `${type}=${value.toString('latin1')}`).join(';');
  return `${version} ${bytes} ${source?.address} ${source?.port} ${destination?.address} ${destination?.port} ${said}`;
}

function headerInWords(held: Buffer): string | undefined {
  const result = parseProxyHeader(held);
  return result?.kind === 'refused' ? `${result.reason}: ${result.message}` : result && inWords(result.header);
}

interface DrawnHeader {
  readonly version: 1 | 2;
  readonly source: Peer;
  readonly destination: Peer;
  readonly tlvs: readonly Tlv[];
  readonly at: number;
}

function addressOf(draw: Draw, size: number): string {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at++) if (!draw.oneIn(3)) bytes[at] = draw.below(256);
  return ipOfBytes(bytes);
}

const FOURS = Array.from({ length: 256 }, (_, seed) => addressOf(new Draw(seed), 4));
const SIXES = Array.from({ length: 256 }, (_, seed) => addressOf(new Draw(seed), 16));

function drawnHeader(draw: Draw): DrawnHeader {
  const addresses = draw.oneIn(2) ? FOURS : SIXES;
  const peer = (): Peer => ({ address: draw.pick(addresses), port: draw.below(65_536) });
  const tlvs = draw.some(3, () => ({
    type: draw.pick([1, 2, 5, 0x20, 0xea]),
    value: latin1(draw.bytes(draw.below(20))),
  }));
  return { version: draw.oneIn(2) ? 1 : 2, source: peer(), destination: peer(), tlvs, at: draw.below(4096) };
}

const LENGTH_AT = [14, 15];

function headerComesBack({ version, source, destination, tlvs, at }: DrawnHeader): void {
  const bytes = renderProxyHeader(version, source, destination, tlvs);
  const header = { version, source, destination, tlvs: version === 2 ? tlvs : [], bytes: bytes.length };
  assert.equal(headerInWords(bytes), inWords(header));
  assert.equal(parseProxyHeader(bytes.subarray(0, -1)), undefined);
  if (version === 1) return;
  // Behind the addresses a length could swallow the checksum itself.
  const bit = at % ((16 + (isIPv4(source.address) ? 12 : 36)) * 8);
  if (LENGTH_AT.includes(bit >> 3)) return;
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  const flipped = parseProxyHeader(bytes);
  // LOCAL is skipped unread.
  assert.ok(flipped?.kind !== 'header' || flipped.header.source === undefined, 'a flipped bit goes unnoticed');
}

const V2 = '\r\n\r\n\0\r\nQUIT\n';
const HEADERS = [
  'PROXY TCP4 127.0.0.1 10.0.0.2 8080 80\r\nGET / HTTP/1.1\r\n',
  'PROXY TCP6 2001:db8::1 ::1 65535 0\r\n',
  'PROXY UNKNOWN\r\n',
  'PROXY UNKNOWN ffff:f ffff:f 65535 65535\r\n',
  `${V2}\x21\x11\x00\x0c\x7f\0\0\x01\x0a\0\0\x02\x1f\x90\0\x50x`,
  `${V2}\x21\x11\x00\x15\x7f\0\0\x01\x0a\0\0\x02\x1f\x90\0\x50\x04\0\x02\0\0\xea\0\x01v`,
  `${V2}\x21\x21\x00\x24${'\0'.repeat(15)}\x01${'\0'.repeat(15)}\x02\0\x07\0\x08`,
  `${V2}\x20\0\0\0`,
  `${V2}\x21\x31\0\xd8${'x'.repeat(216)}`,
];
const HEADER_PIECES = [
  'PROXY ',
  ' ',
  '\r\n',
  '0',
  '65535',
  '65536',
  '::',
  ':',
  '1.1.1.1',
  '\0',
  '\xff',
  V2,
  '\x03\0\x04',
  '%e',
  '+',
];
const V1_LINE = /^PROXY (?:UNKNOWN(?: [^\r]*(?:\r(?!\n)[^\r]*)*)?|TCP([46]) (\S+) (\S+) (\d{1,5}) (\d{1,5}))\r\n/;

function headerIsOneThing({ text, at }: Opening): void {
  const bytes = latin1(text);
  isUnmovedByCuts(bytes, at, headerInWords);
  const result = parseProxyHeader(bytes);
  if (result === undefined) assert.ok(bytes.length < MAX_V2_BYTES, 'more than the limit would be kept');
  if (result?.kind !== 'header') return;
  const { version, source, destination, bytes: count, tlvs } = result.header;
  assert.ok(count <= bytes.length && count <= MAX_V2_BYTES);
  if (version === 1) {
    const [line = '', family, from, to, fromPort, toPort] = V1_LINE.exec(text) ?? [];
    assert.equal(line.length, count, 'the line ends elsewhere');
    assert.deepEqual([source?.address, destination?.address], [from, to]);
    assert.deepEqual([source?.port, destination?.port].map(String), [fromPort, toPort].map(String));
    const isAddress = family === '4' ? isIPv4 : isIPv6;
    if (family !== undefined) assert.ok(isAddress(from ?? '') && isAddress(to ?? ''));
    return;
  }
  assert.equal(count, 16 + bytes.readUInt16BE(14));
  if (source === undefined) return;
  // The other way round it says the same, whatever the spelling was.
  const again = parseProxyHeader(renderProxyHeader(2, source, destination, tlvs));
  assert.ok(again?.kind === 'header');
  assert.equal(inWords({ ...again.header, bytes: count }), inWords(result.header));
}

const ADDRESSES = [
  '10.0.0.255',
  '::',
  '::1',
  '1::',
  '2001:db8::1',
  '1:0:0:2:0:0:0:3',
  '1:2:3:4:5:6:7:8',
  '::ffff:10.0.0.1',
  '64:ff9b::192.0.2.33',
  'fe80::1%eth0',
];
const ADDRESS_PIECES = [':', '::', '0', '.', 'ffff', '1.2.3.4', '%', '25', 'g', ' '];

function addressIsOneThing(text: string): void {
  const bytes = bytesOfIp(text);
  const [plain = ''] = text.split('%');
  assert.equal(bytes !== undefined, isIPv4(text) || isIPv6(plain));
  if (bytes === undefined) return;
  const again = ipOfBytes(bytes);
  assert.deepEqual(bytesOfIp(again), bytes.length === 16 && isIPv4(again) ? bytes.subarray(12) : bytes);
  // The URL Standard writes addresses as RFC 5952 does, but for IPv4's in IPv6's form.
  if (!isIPv4(again)) assert.equal(`[${again}]`, new URL(`http://[${plain}]/`).hostname);
}

/** What holds of everything that reads a connection's first bytes. */
export const OPENING_PROPERTIES: readonly Property[] = [
  property(
    'first bytes',
    'what a client speaks is what its request line says, as soon as that is certain',
    opening,
    speaksAsItsLineSays,
  ),
  property(
    'first bytes',
    'what a client speaks is known when as much as may be kept has come',
    (draw) => ({ begin: damaged(draw, OPENINGS, OPENING_PIECES), piece: draw.pick(PIECES_TO_REPEAT) }),
    isKnownByTheLimit,
  ),
  property(
    'ClientHello',
    'a ClientHello is read as it was written, and a damaged one gives no name that nobody sent',
    drawnHello,
    helloIsRead,
  ),
  property(
    'PROXY header',
    'a PROXY header comes back as it was written, and a flipped bit before or in its addresses is noticed',
    drawnHeader,
    headerComesBack,
  ),
  property(
    'PROXY header',
    'whatever comes as a PROXY header is one thing only, and ends at one byte',
    (draw) => ({ text: damaged(draw, HEADERS, HEADER_PIECES), at: draw.below(4096) }),
    headerIsOneThing,
  ),
  property(
    'address',
    'an address is one, has one spelling, and that of the URL Standard',
    (draw) => damaged(draw, ADDRESSES, ADDRESS_PIECES),
    addressIsOneThing,
  ),
];
