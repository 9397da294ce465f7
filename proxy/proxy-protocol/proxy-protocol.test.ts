import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32c } from './crc32c.ts';
import { MAX_V2_BYTES, type Peer, V2_SIGNATURE } from './header.ts';
import { bytesOfIp, ipOfBytes } from './ip-bytes.ts';
import { parseProxyHeader } from './parse.ts';
import { renderProxyHeader } from './render.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const FOUR = '\x7f\x00\x00\x01\x0a\x00\x00\x02\x1f\x90\x00\x50';
const v2 = (command: number, family: number, body: string, length = body.length): Buffer =>
  Buffer.concat([V2_SIGNATURE, Buffer.from([command, family, length >> 8, length & 255]), latin1(body)]);

test('CRC-32C is that of RFC 3720’s examples', () => {
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
  assert.equal(crc32c(Buffer.alloc(32, 255)), 0x62a8ab43);
  assert.equal(crc32c(Buffer.from(Array.from({ length: 32 }, (_, at) => at))), 0x46dd794e);
  assert.equal(crc32c(latin1('123456789')), 0xe3069283);
});

test('addresses become bytes and text again, as RFC 5952 writes them', () => {
  for (const [text, again = text] of [
    ['10.0.0.255'],
    ['::'],
    ['::1'],
    ['1::'],
    ['2001:db8::1'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:2:3:4:5:6:7:8'],
    ['1:2:3:4:5:6:0:8'],
    ['10:0:0:0:0:0:0:10', '10::10'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['fe80::1%eth0', 'fe80::1'],
  ] as const) {
    assert.equal(ipOfBytes(bytesOfIp(text) ?? Buffer.alloc(0)), again, text);
  }
  for (const text of ['', 'a', '1.2.3', '1:2', '1::2::3']) assert.equal(bytesOfIp(text), undefined, text);
});

const GOOD: readonly (readonly [what: string, bytes: Buffer, source: string | undefined])[] = [
  ['TCP4', latin1('PROXY TCP4 127.0.0.1 10.0.0.2 8080 80\r\n'), '127.0.0.1 8080'],
  ['TCP6', latin1('PROXY TCP6 2001:db8::1 ::1 65535 0\r\n'), '2001:db8::1 65535'],
  ['UNKNOWN', latin1('PROXY UNKNOWN\r\n'), undefined],
  ['UNKNOWN with what is to be ignored', latin1('PROXY UNKNOWN ffff:f ffff:f 65535 65535\r\n'), undefined],
  ['version 2', v2(0x21, 0x11, FOUR), '127.0.0.1 8080'],
  ['version 2 of IPv6', v2(0x21, 0x21, `${'\0'.repeat(15)}\x01${'\0'.repeat(15)}\x02\x00\x07\x00\x08`), '::1 7'],
  ['LOCAL', v2(0x20, 0x00, ''), undefined],
  ['LOCAL with what is to be skipped', v2(0x20, 0x11, `${FOUR}xxx`), undefined],
  ['UNSPEC', v2(0x21, 0x00, ''), undefined],
  ['a Unix socket', v2(0x21, 0x31, 'x'.repeat(216)), undefined],
  ['TLVs', v2(0x21, 0x11, `${FOUR}\x04\x00\x02\0\0\xea\x00\x01v`), '127.0.0.1 8080'],
];

for (const [what, bytes, source] of GOOD) {
  test(`a header is read, whole and not before: ${what}`, () => {
    for (let end = 0; end < bytes.length; end++) assert.equal(parseProxyHeader(bytes.subarray(0, end)), undefined);
    const result = parseProxyHeader(Buffer.concat([bytes, latin1('GET / HTTP/1.1\r\n')]));
    assert.ok(result?.kind === 'header');
    const { header } = result;
    assert.equal(header.bytes, bytes.length);
    assert.equal(header.source && `${header.source.address} ${header.source.port}`, source);
    assert.equal(header.destination === undefined, source === undefined);
    assert.deepEqual(header.tlvs, what === 'TLVs' ? [{ type: 0xea, value: latin1('v') }] : []);
  });
}

const BAD: readonly (readonly [what: string, bytes: Buffer, words: RegExp])[] = [
  ['HTTP', latin1('GET / HTTP/1.1\r\n'), /begins with no PROXY/],
  ['TLS', latin1('\x16\x03\x01'), /begins with no PROXY/],
  ['lower case', latin1('proxy TCP4 1.1.1.1 1.1.1.1 1 1\r\n'), /begins with no PROXY/],
  ['an empty line before it', latin1('\r\nPROXY UNKNOWN\r\n'), /begins with no PROXY/],
  ['no family', latin1('PROXY \r\n'), /no PROXY line/],
  ['UDP', latin1('PROXY UDP4 1.1.1.1 1.1.1.1 1 1\r\n'), /no PROXY line/],
  ['two spaces', latin1('PROXY TCP4  1.1.1.1 1.1.1.1 1 1\r\n'), /no PROXY line/],
  ['a space at the end', latin1('PROXY TCP4 1.1.1.1 1.1.1.1 1 1 \r\n'), /no PROXY line/],
  ['a port with a zero before it', latin1('PROXY TCP4 1.1.1.1 1.1.1.1 01 1\r\n'), /no PROXY line/],
  ['a port that is none', latin1('PROXY TCP4 1.1.1.1 1.1.1.1 65536 1\r\n'), /a port is none/],
  ['a sign', latin1('PROXY TCP4 1.1.1.1 1.1.1.1 +1 1\r\n'), /no PROXY line/],
  ['an octal address', latin1('PROXY TCP4 01.1.1.1 1.1.1.1 1 1\r\n'), /none of TCP4/],
  ['IPv6 as TCP4', latin1('PROXY TCP4 ::1 ::1 1 1\r\n'), /none of TCP4/],
  ['a zone', latin1('PROXY TCP6 fe80::1%eth0 ::1 1 1\r\n'), /none of TCP6/],
  ['no CR', latin1(`PROXY UNKNOWN\n${'x'.repeat(107)}`), /longer than 107/],
  ['a line without end', latin1(`PROXY UNKNOWN ${'x'.repeat(100)}`), /longer than 107/],
  ['version 1 in version 2', v2(0x11, 0x11, FOUR), /version and command/],
  ['an unknown command', v2(0x22, 0x11, FOUR), /version and command/],
  ['datagrams', v2(0x21, 0x12, FOUR), /family and protocol/],
  ['an unknown family', v2(0x21, 0x41, FOUR), /family and protocol/],
  ['addresses that are cut off', v2(0x21, 0x11, FOUR.slice(0, 11)), /addresses go beyond/],
  ['a header that is too long', v2(0x21, 0x11, '', MAX_V2_BYTES), /at most 4096/],
  ['a TLV without length', v2(0x21, 0x11, `${FOUR}\x04\x00`), /TLV goes beyond/],
  ['a TLV that is cut off', v2(0x21, 0x11, `${FOUR}\x04\x00\x09x`), /TLV goes beyond/],
  ['a wrong checksum', v2(0x21, 0x11, `${FOUR}\x03\x00\x04\x01\x02\x03\x04`), /CRC32C\) is wrong/],
  ['a checksum of another length', v2(0x21, 0x11, `${FOUR}\x03\x00\x02\x01\x02`), /CRC32C\) is wrong/],
];

for (const [what, bytes, words] of BAD) {
  test(`what is no sound header is refused: ${what}`, () => {
    const result = parseProxyHeader(bytes);
    assert.equal(result?.kind, 'refused');
    assert.match(result?.kind === 'refused' ? result.message : '', words);
  });
}

test('who cannot be told of is unknown', () => {
  const peer = (address: string): Peer => ({ address, port: 1 });
  for (const [source, destination] of [
    [undefined, peer('::1')],
    [peer('127.0.0.1'), peer('::1')],
    [peer('web'), peer('web')],
  ] as const) {
    for (const version of [1, 2] as const) {
      const result = parseProxyHeader(renderProxyHeader(version, source, destination));
      assert.ok(result?.kind === 'header' && result.header.source === undefined);
    }
  }
});
