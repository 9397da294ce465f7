import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import tls from 'node:tls';
import { alpn, extension, handshake, nameEntry, record, records, serverName } from '../test-support/hello-bytes.ts';
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

test('OpenSSL’s ClientHello is read whole, split anywhere, and cut into records', async () => {
  const hello = await helloOf({ servername: 'Shop.Example', ALPNProtocols: ['h2', 'http/1.1'] });
  const wanted = { kind: 'hello', serverName: 'shop.example', protocols: ['h2', 'http/1.1'] };
  assert.deepEqual(readClientHello(hello), wanted);
  for (let end = 0; end < hello.length; end++)
    assert.equal(readClientHello(hello.subarray(0, end)), undefined, `${end}`);
  const message = hello.subarray(5);
  for (const size of [2, 3, 100])
    assert.deepEqual(readClientHello(records(message, size)), wanted, `records of ${size}`);
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
    record(Buffer.from([1, 0, (MAX_HELLO_BYTES + 1) >> 8, (MAX_HELLO_BYTES + 1) & 0xff])),
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

test('a ClientHello that comes a byte a record is given up, and costs no more than its bytes', () => {
  const long = handshake([ok, extension(0x1234, Buffer.alloc(MAX_HELLO_BYTES - 200))]);
  const bytes = records(long, 1);
  const started = process.cpuUsage();
  const hello = readClientHello(bytes);
  const { user } = process.cpuUsage(started);
  assert.match(hello?.kind === 'broken' ? hello.message : '', /in more than 1024 records/);
  assert.ok(user < 1_000_000, `${user} µs`);
  assert.equal(readClientHello(records(long, 64))?.kind, 'hello');
});
