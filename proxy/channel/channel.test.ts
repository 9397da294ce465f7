import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerWritableStream,
  status,
} from '@grpc/grpc-js';
import fc from 'fast-check';
import { openAuthority } from '../../certs/authority/authority.ts';
import { createKeyAndCsr } from '../../certs/workload/key-and-csr.ts';
import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { type Call, UNAVAILABLE } from './call.ts';
import type { CallError } from './call-error.ts';
import { type Channel, type ChannelOptions, openChannel } from './channel.ts';
import { MessageCutter, withPrefix } from './message-cutter.ts';
import { parseTarget } from './target.ts';

const clock = systemClock();
const CONTROL = 'spiffe://tutti.local/tutti/control';
const OWN = 'spiffe://tutti.local/ns/default/sa/web';

const raw = {
  requestSerialize: (message: Buffer) => message,
  requestDeserialize: (bytes: Buffer) => bytes,
  responseSerialize: (message: Buffer) => message,
  responseDeserialize: (bytes: Buffer) => bytes,
};
const ECHO = { path: '/test.Calls/Echo', requestStream: true, responseStream: true, ...raw } as const;
const WATCH = { path: '/test.Calls/Watch', requestStream: false, responseStream: true, ...raw } as const;
const UNKNOWN_METHOD = { ...ECHO, path: '/test.Calls/None' };

interface Heard {
  readonly messages: readonly Buffer[];
  readonly error: CallError | undefined;
}

/** All that a call brings, until its end. */
function outcome(call: Call<Buffer, Buffer>): Promise<Heard> {
  const messages: Buffer[] = [];
  call.onMessage((message) => messages.push(message));
  return new Promise((resolve) => call.onEnd((error) => resolve({ messages, error })));
}

describe('calls to a server of grpc-js', () => {
  let folder = '';
  let server: Server;
  let issue: (spiffeId: string) => MeshIdentity;
  let port = 0;
  let plainPort = 0;
  const channels: Channel[] = [];
  const cancelled: string[] = [];

  const open = (options: Partial<ChannelOptions> = {}): Channel => {
    const channel = openChannel({ address: `127.0.0.1:${plainPort}`, clock, ...options });
    channels.push(channel);
    return channel;
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tutti-channel-'));
    const authority = await openAuthority({ folder, trustDomain: 'tutti.local', clock, log: silentLog() });
    issue = (spiffeId) => {
      const { privateKeyPem, csrPem } = createKeyAndCsr(spiffeId);
      const issued = authority.issueSvid({ csrPem, spiffeId });
      return { generation: 1, spiffeId, privateKeyPem, trustBundlePem: authority.trustBundlePem, ...issued };
    };
    server = new Server({ 'grpc.max_receive_message_length': -1 });
    server.addService(
      { echo: ECHO, watch: WATCH },
      {
        // What it says is its answer; `fail: …` is its end.
        echo: (call: ServerDuplexStream<Buffer, Buffer>) => {
          call.on('cancelled', () => cancelled.push(call.getPath()));
          call.on('data', (message: Buffer) => {
            const [, details] = /^fail: (.*)$/s.exec(message.toString()) ?? [];
            if (details === undefined) call.write(message);
            else call.emit('error', { code: status.PERMISSION_DENIED, details });
          });
          call.on('end', () => call.end());
        },
        watch: (call: ServerWritableStream<Buffer, Buffer>) => {
          call.write(Buffer.from(String(call.metadata.get('workload.spiffe.io')[0])));
          call.write(call.request);
          const metadata = new Metadata();
          metadata.set('x-more', '1');
          call.end(metadata);
        },
      },
    );
    const bind = (address: string, credentials: ServerCredentials): Promise<number> =>
      new Promise((resolve, reject) => {
        server.bindAsync(address, credentials, (error, bound) => (error === null ? resolve(bound) : reject(error)));
      });
    const { certificateChainPem, privateKeyPem, trustBundlePem } = issue(CONTROL);
    const pair = { private_key: Buffer.from(privateKeyPem), cert_chain: Buffer.from(certificateChainPem) };
    port = await bind('127.0.0.1:0', ServerCredentials.createSsl(Buffer.from(trustBundlePem), [pair], true));
    plainPort = await bind('127.0.0.1:0', ServerCredentials.createInsecure());
    await bind(`unix://${join(folder, 'calls.sock')}`, ServerCredentials.createInsecure());
  });
  after(() => {
    for (const channel of channels) channel.close();
    server.forceShutdown();
    rmSync(folder, { recursive: true });
  });

  const SIZES = [0, 1, 5, 16_383, 16_384, 70_000, 3_000_000];
  const PLACES: readonly (readonly [string, () => Partial<ChannelOptions>])[] = [
    ['over mTLS', () => ({ address: `127.0.0.1:${port}`, mesh: { identity: issue(OWN), serverSpiffeId: CONTROL } })],
    ['by a name', () => ({ address: `localhost:${plainPort}` })],
    ['over a Unix socket', () => ({ address: `unix://${join(folder, 'calls.sock')}` })],
  ];
  for (const [place, options] of PLACES) {
    test(`messages of every size go there and back ${place}, in order, past every window`, async () => {
      const channel = open(options());
      const call = channel.open<Buffer, Buffer>(ECHO);
      const heard = outcome(call);
      for (const size of SIZES) call.write(Buffer.alloc(size, size % 251));
      call.end();
      const { messages, error } = await heard;
      assert.equal(error, undefined);
      assert.deepEqual(
        messages.map(({ length }) => length),
        SIZES,
      );
      for (const message of messages) assert.ok(message.equals(Buffer.alloc(message.length, message.length % 251)));
    });
  }

  test('metadata is sent, and a server that has said all ends the call in peace', async () => {
    const call = open().open<Buffer, Buffer>(WATCH, { 'workload.spiffe.io': 'true' });
    call.write(Buffer.from('who am I'));
    call.end();
    const { messages, error } = await outcome(call);
    assert.equal(error, undefined);
    assert.deepEqual(messages.map(String), ['true', 'who am I']);
  });

  test('several calls share a connection, and one that fails says why and leaves the others', async () => {
    const channel = open();
    const [good, bad, none] = [ECHO, ECHO, UNKNOWN_METHOD].map((method) => channel.open<Buffer, Buffer>(method));
    assert.ok(good && bad && none);
    const ends = [outcome(good), outcome(bad), outcome(none)];
    bad.write(Buffer.from('fail: not you, “web”: 100 %'));
    const errors = [(await ends[1])?.error, (await ends[2])?.error];
    assert.deepEqual(
      errors.map((error) => error?.code),
      [status.PERMISSION_DENIED, status.UNIMPLEMENTED],
    );
    assert.equal(errors[0]?.details, 'not you, “web”: 100 %');
    assert.equal(errors[0]?.message, '7 PERMISSION_DENIED: not you, “web”: 100 %');
    good.write(Buffer.from('still here'));
    good.end();
    assert.deepEqual((await ends[0])?.messages.map(String), ['still here']);
  });

  test('a call that is cancelled ends at both sides, once', async () => {
    const call = open().open<Buffer, Buffer>(ECHO);
    const ends: (CallError | undefined)[] = [];
    call.onEnd((error) => ends.push(error));
    const answered = new Promise<void>((resolve) => call.onMessage(() => resolve()));
    call.write(Buffer.from('hello'));
    await answered;
    call.cancel();
    call.cancel();
    assert.deepEqual(
      ends.map((error) => error?.code),
      [status.CANCELLED],
    );
    while (!cancelled.includes(ECHO.path)) await clock.sleep(5);
  });

  test('a caller that pauses is sent no more than a window, and all of it when it goes on', async () => {
    const channel = open();
    const call = channel.open<Buffer, Buffer>(ECHO);
    const heard = outcome(call);
    let count = 0;
    let first: () => void;
    const begun = new Promise<void>((resolve) => {
      first = resolve;
    });
    call.onMessage(() => {
      if (++count === 1) {
        call.pause();
        first();
      }
    });
    const MESSAGES = 100;
    for (let at = 0; at < MESSAGES; at++) call.write(Buffer.alloc(10_000));
    call.end();
    await begun;
    // A second call on the same connection is not held back, and is answered behind what was on its way.
    const other = channel.open<Buffer, Buffer>(ECHO);
    other.write(Buffer.from('and I'));
    other.end();
    assert.deepEqual((await outcome(other)).messages.map(String), ['and I']);
    assert.ok(count < MESSAGES / 2, `${count} messages while paused`);
    call.resume();
    assert.equal((await heard).error, undefined);
    assert.equal(count, MESSAGES);
  });

  const REFUSALS: readonly (readonly [string, () => Partial<ChannelOptions>, RegExp])[] = [
    ['nobody listens', () => ({ address: '127.0.0.1:1' }), /127\.0\.0\.1:1: connect ECONNREFUSED/],
    ['there is no socket', () => ({ address: `unix://${join(folder, 'none.sock')}` }), /ENOENT/],
    ['the address is none', () => ({ address: 'control' }), /wanted host:port, \[address\]:port or unix:/],
    [
      'the server is somebody else',
      () => ({ address: `127.0.0.1:${port}`, mesh: { identity: issue(OWN), serverSpiffeId: OWN } }),
      /its identity is URI:spiffe:\/\/tutti\.local\/tutti\/control, wanted spiffe:\/\/tutti\.local\/ns/,
    ],
    [
      'the server is of another mesh',
      () => {
        const identity = { ...issue(OWN), trustBundlePem: issue(OWN).certificateChainPem };
        return { address: `127.0.0.1:${port}`, mesh: { identity, serverSpiffeId: CONTROL } };
      },
      /certificate/,
    ],
  ];
  for (const [what, options, words] of REFUSALS) {
    test(`a call ends with UNAVAILABLE when ${what}`, async () => {
      const channel = open(options());
      const { error } = await outcome(channel.open<Buffer, Buffer>(ECHO));
      assert.equal(error?.code, UNAVAILABLE);
      assert.match(error.message, words);
      const late = await outcome(channel.open<Buffer, Buffer>(ECHO));
      assert.equal(late.error?.code, UNAVAILABLE);
    });
  }

  test('every call ends when the channel is closed', async () => {
    const channel = open();
    const calls = [channel.open<Buffer, Buffer>(ECHO), channel.open<Buffer, Buffer>(ECHO)].map(outcome);
    channel.close();
    for (const { error } of await Promise.all(calls)) assert.equal(error?.code, UNAVAILABLE);
  });
});

describe('a server that says nothing', () => {
  let silent: NetServer;
  const sockets: Socket[] = [];
  before(async () => {
    silent = createServer((socket) => void sockets.push(socket.on('error', () => undefined).resume()));
    await once(silent.listen(0, '127.0.0.1'), 'listening');
  });
  after(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  test('ends every call when it closes the connection', async () => {
    const channel = openChannel({ address: `127.0.0.1:${(silent.address() as AddressInfo).port}`, clock });
    const accepted = once(silent, 'connection');
    const ended = outcome(channel.open<Buffer, Buffer>(ECHO));
    const [socket] = (await accepted) as [Socket];
    socket.end();
    const { error } = await ended;
    assert.equal(error?.code, UNAVAILABLE);
    assert.match(error.message, /the server closed the connection/);
  });

  test('is asked whether it is there, and given up when it does not say so', async () => {
    const address = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const channel = openChannel({ address, keepalive: { everyMs: 30, timeoutMs: 30 }, clock });
    const { error } = await outcome(channel.open<Buffer, Buffer>(ECHO));
    assert.equal(error?.code, UNAVAILABLE);
    assert.match(error.message, /does not answer any more/);
  });
});

test('messages are whole however the bytes are cut', () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
  fc.assert(
    fc.property(messages, fc.array(fc.nat(60), { maxLength: 30 }), (all, cuts) => {
      const bytes = Buffer.concat(all.map(withPrefix));
      const places = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
      const cutter = new MessageCutter(40);
      const seen: Buffer[] = [];
      for (let at = 1; at < places.length; at++) {
        const fault = cutter.take(bytes, places[at - 1] ?? 0, places[at] ?? 0, (message) => seen.push(message));
        assert.equal(fault, undefined);
      }
      assert.ok(cutter.isBetweenMessages);
      assert.deepEqual(
        seen.map((message) => [...message]),
        all.map((message) => [...message]),
      );
    }),
  );
});

test('a message that is too large or compressed is refused before it is there', () => {
  const refusal = (bytes: readonly number[]): string | undefined =>
    new MessageCutter(10).take(Buffer.from(bytes), 0, bytes.length, () => assert.fail('a message'));
  assert.match(refusal([0, 0, 0, 0, 11]) ?? '', /11 bytes: at most 10/);
  assert.match(refusal([1, 0, 0, 0, 1]) ?? '', /compressed/);
});

test('addresses are read as gRPC writes them', () => {
  const TARGETS = [
    ['127.0.0.1:6444', { host: '127.0.0.1', port: 6444 }],
    ['control.example:443', { host: 'control.example', port: 443 }],
    ['[::1]:6444', { host: '::1', port: 6444 }],
    ['unix:///run/a.sock', { path: '/run/a.sock' }],
    ['unix:/run/a.sock', { path: '/run/a.sock' }],
    ['control', undefined],
    ['::1:6444', undefined],
    ['control:0', undefined],
    ['control:65536', undefined],
    ['', undefined],
  ] as const;
  for (const [text, target] of TARGETS) assert.deepEqual(parseTarget(text), target, text);
});
