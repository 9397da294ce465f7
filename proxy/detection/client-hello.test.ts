import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import tls from 'node:tls';
import fc from 'fast-check';
import { MAX_HELLO_BYTES, readClientHello } from './client-hello.ts';

/** The ClientHello that OpenSSL makes. */
async function helloOf(options: tls.ConnectionOptions): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer) => {
        resolve(chunk);
        wire.destroy();
      },
    });
    tls.connect({ socket: wire, ...options }).on('error', () => undefined);
  });
}

const number = (value: number, size: number): Buffer => {
  const bytes = Buffer.alloc(size);
  bytes.writeUIntBE(value, 0, size);
  return bytes;
};
const vector = (size: number, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([number(body.length, size), body]);
};
const extension = (type: number, data: Buffer): Buffer => Buffer.concat([number(type, 2), vector(2, data)]);
const record = (body: Buffer, type = 22): Buffer => Buffer.concat([Buffer.from([type, 3, 1]), vector(2, body)]);
const nameEntry = (name: string, type = 0): Buffer =>
  Buffer.concat([Buffer.from([type]), vector(2, Buffer.from(name, 'latin1'))]);
const serverName = (...names: readonly Buffer[]): Buffer => extension(0, vector(2, ...names));
const alpn = (...names: readonly string[]): Buffer =>
  extension(16, vector(2, ...names.map((name) => vector(1, Buffer.from(name, 'latin1')))));

function handshake(extensions: readonly Buffer[] | undefined, type = 1): Buffer {
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    vector(1, Buffer.alloc(32)),
    vector(2, Buffer.from([0x13, 0x01])),
    vector(1, Buffer.from([0])),
    ...(extensions === undefined ? [] : [vector(2, ...extensions)]),
  ]);
  return Buffer.concat([Buffer.from([type]), vector(3, body)]);
}

test('OpenSSL’s ClientHello is read whole, split anywhere, and cut into records', async () => {
  const hello = await helloOf({ servername: 'Shop.Example', ALPNProtocols: ['h2', 'http/1.1'] });
  const wanted = { kind: 'hello', serverName: 'shop.example', protocols: ['h2', 'http/1.1'] };
  assert.deepEqual(readClientHello(hello), wanted);
  for (let end = 0; end < hello.length; end++)
    assert.equal(readClientHello(hello.subarray(0, end)), undefined, `${end}`);
  const message = hello.subarray(5);
  for (const size of [1, 3, 100]) {
    const records: Buffer[] = [];
    for (let at = 0; at < message.length; at += size) records.push(record(message.subarray(at, at + size)));
    assert.deepEqual(readClientHello(Buffer.concat(records)), wanted, `records of ${size}`);
  }
});

test('a client may name nobody and offer nothing, and GREASE is passed over', async () => {
  const none = { kind: 'hello', serverName: '', protocols: [] };
  assert.deepEqual(readClientHello(await helloOf({})), none);
  assert.deepEqual(readClientHello(record(handshake(undefined))), none);
  const grease = [extension(0x0a0a, Buffer.alloc(0)), serverName(nameEntry('a.example')), alpn('\x1a\x1a', 'h2')];
  assert.deepEqual(readClientHello(record(handshake([...grease, extension(0xfafa, Buffer.from([0]))]))), {
    kind: 'hello',
    serverName: 'a.example',
    protocols: ['h2'],
  });
});

const ok = serverName(nameEntry('a.example'));
const BROKEN: readonly (readonly [what: string, bytes: Buffer, words: RegExp])[] = [
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n'), /no TLS handshake/],
  ['an alert', record(Buffer.from([2, 40]), 21), /no TLS handshake/],
  ['another version of records', Buffer.from([22, 2, 0, 0, 5, 1]), /no version of TLS/],
  ['an empty record', record(Buffer.alloc(0)), /has 0 bytes/],
  ['a record that is too long', Buffer.from([22, 3, 1, 0x40, 0x01]), /has 16385 bytes/],
  ['a ServerHello', record(handshake([ok], 2)), /no ClientHello/],
  [
    'an alert between two records',
    Buffer.concat([record(handshake([ok]).subarray(0, 9)), record(Buffer.from([2, 40]), 21)]),
    /no TLS handshake/,
  ],
  [
    'a ClientHello that is too long',
    record(Buffer.concat([Buffer.from([1]), number(MAX_HELLO_BYTES + 1, 3)])),
    /at most 16384/,
  ],
  ['something behind it', record(Buffer.concat([handshake([ok]), Buffer.from([0])])), /goes on behind/],
  ['two lists of names', record(handshake([ok, ok])), /comes twice/],
  ['two names', record(handshake([serverName(nameEntry('a.example'), nameEntry('b.example'))])), /two host names/],
  ['no name in the list', record(handshake([serverName()])), /not sound/],
  ['a name with a NUL', record(handshake([serverName(nameEntry('a\0.example'))])), /no host name/],
  ['an empty name', record(handshake([serverName(nameEntry(''))])), /no host name/],
  ['a dot at the end', record(handshake([serverName(nameEntry('a.example.'))])), /no host name/],
  ['a length beyond the end', record(handshake([extension(0, Buffer.from([0, 9, 0]))])), /beyond the end/],
  ['a protocol without a name', record(handshake([alpn('')])), /no name/],
  ['a body that ends early', record(Buffer.from([1, 0, 0, 2, 3, 3])), /beyond the end/],
];

for (const [what, bytes, words] of BROKEN) {
  test(`${what} is no ClientHello`, () => {
    const hello = readClientHello(bytes);
    assert.equal(hello?.kind, 'broken');
    assert.match(hello?.kind === 'broken' ? hello.message : '', words);
  });
}

test('whatever comes, nothing is thrown, and more bytes never change an answer', () => {
  const sound = record(handshake([ok, alpn('h2')]));
  const flipped = fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { maxLength: 4 }).map((flips) => {
    const bytes = Buffer.from(sound);
    for (const [at, value] of flips) bytes[at] = value;
    return bytes;
  });
  const any = fc.oneof(
    flipped,
    fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(any, fc.nat(200), (bytes, cut) => {
      const early = readClientHello(bytes.subarray(0, cut));
      if (early !== undefined) assert.deepEqual(readClientHello(bytes), early);
    }),
    { numRuns: 2000 },
  );
});
