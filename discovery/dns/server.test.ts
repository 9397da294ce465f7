import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { encode, RECURSION_DESIRED } from 'dns-packet';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { seededRandom } from '../../kit/random.ts';
import { needs, program } from '../../test/support/programs.ts';
import { buildRegistry } from '../registry/registry.ts';
import { sampleServices, sampleSlices, service, slice } from '../testing/sample-cluster.ts';
import { type DnsServer, startDns } from './server.ts';
import { frame } from './tcp-frames.ts';
import { type Batch, openBatch } from './udp/batch.ts';
import { buildZone } from './zone.ts';

const endpoints = Array.from({ length: 300 }, (_, at) => ({ addresses: [`127.65.${at >> 8}.${at & 255}`] }));
const registry = buildRegistry(
  [...sampleServices(), service('many', { clusterIP: 'None', ports: [{ port: 80 }] })],
  [...sampleSlices(), slice('many', { name: 'many-1', endpoints })],
);
const zone = buildZone(registry, { domain: 'cluster.local', serial: 1, serverAddress: '127.0.0.1', complete: true });

/** Where Node has FFI the tests must not quietly go the other way. */
const canBatch = process.platform === 'linux' && Number.parseInt(process.versions.node, 10) >= 26;

const local = {
  zone: () => zone,
  forwardTo: [],
  clock: systemClock(),
  random: seededRandom(1),
  log: silentLog(),
  address: '127.0.0.1',
  port: 0,
};

/** How many questions were read in batches. */
let inBatches = 0;
function countingBatch(): Batch | undefined {
  const real = openBatch();
  return (
    real && {
      ...real,
      receive: (descriptor) => {
        const count = real.receive(descriptor);
        inBatches += count;
        return count;
      },
    }
  );
}

let server: DnsServer;
let single: DnsServer;
before(async () => {
  server = await startDns({ ...local, openBatch: countingBatch });
  single = await startDns({ ...local, openBatch: () => undefined });
});
after(() => Promise.all([server.close(), single.close()]));

async function digAt({ port }: Pick<DnsServer, 'port'>, args: readonly string[]): Promise<string> {
  const common = ['@127.0.0.1', '-p', String(port), '+tries=2', '+time=5'];
  const { stdout } = await promisify(execFile)(program('dig'), [...common, ...args]);
  return stdout;
}

async function dig(...args: readonly string[]): Promise<string> {
  return await digAt(server, args);
}

/**
 * Dig's question waits behind another one when the server looks, so that it is read in a batch. This process has both the server
 * and the one who asks first: nothing is read until both questions are there.
 */
async function digBehindAnother({ port }: DnsServer, args: readonly string[]): Promise<string> {
  if (!canBatch) return await digAt({ port }, args);
  const other = createSocket('udp4');
  other.connect(port, '127.0.0.1');
  await once(other, 'connect');
  try {
    // On a connected socket node sends at once.
    other.send(QUERY);
    const first = waitingBytes(port);
    assert.ok(first > 0);
    const answered = digAt({ port }, args);
    const until = performance.now() + 60_000;
    while (waitingBytes(port) === first && performance.now() < until);
    return await answered;
  } finally {
    other.close();
  }
}

/** What a socket of 127.0.0.1 has received and nobody has read: proc_net_udp(5). */
function waitingBytes(port: number): number {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const line =
    readFileSync('/proc/net/udp', 'latin1')
      .split('\n')
      .find((each) => each.includes(`: ${local} `)) ?? '';
  return Number.parseInt(/ [0-9A-F]{8}:([0-9A-F]{8}) /.exec(line)?.[1] ?? '', 16);
}

const D = 'default.svc.cluster.local';

const short: readonly (readonly [args: readonly string[], lines: readonly string[]])[] = [
  [['A', `web.${D}`], ['127.96.0.10']],
  [['AAAA', `dual.${D}`], ['fd00::11']],
  [
    ['A', `db.${D}`],
    ['127.64.0.6', '127.64.0.7', '127.64.0.8'],
  ],
  [['A', `db-0.db.${D}`], ['127.64.0.7']],
  [['SRV', `_http._tcp.web.${D}`], [`0 100 80 web.${D}.`]],
  [
    ['SRV', `_pg._tcp.db.${D}`],
    [`0 33 15432 127-64-0-6.db.${D}.`, `0 33 15432 db-0.db.${D}.`, `0 33 15432 db-1.db.${D}.`],
  ],
  [['-x', '127.96.0.10'], [`web.${D}.`]],
  [['-x', '127.64.0.7'], [`db-0.db.${D}.`]],
  [['-x', 'fd00::11'], [`dual.${D}.`]],
  [['CNAME', `outside.${D}`], ['www.example.com.']],
  [
    ['A', `alias.${D}`],
    [`web.${D}.`, '127.96.0.10'],
  ],
  [['TXT', 'dns-version.cluster.local'], ['"1.0.1"']],
  [['SOA', 'cluster.local'], ['ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5']],
];

/** Who is asked, and how. Where node has no FFI there are no batches. */
const ways: readonly (readonly [way: string, ask: (args: readonly string[]) => Promise<string>, transport: string])[] =
  [
    ['over TCP', (args) => digAt(server, args), '+tcp'],
    ['in a batch', (args) => digBehindAnother(server, args), '+notcp'],
    ['in a batch, without EDNS', (args) => digBehindAnother(server, args), '+noedns'],
    ['one by one', (args) => digAt(single, args), '+notcp'],
    ['one by one, without EDNS', (args) => digAt(single, args), '+noedns'],
  ];

for (const [args, lines] of short) {
  for (const [way, ask, transport] of ways) {
    test(`dig reads the answer to ${args.join(' ')}, asked ${way}`, needs('dig'), async () => {
      const before = inBatches;
      const out = await ask(['+short', transport, ...args]);
      assert.deepEqual(out.trim().split('\n').sort(), [...lines].sort());
      assert.equal(inBatches - before, canBatch && way.startsWith('in a batch') ? 1 : 0);
    });
  }
}

test('datagrams go in batches where node has FFI and may use it, and one by one elsewhere', async () => {
  assert.deepEqual([server.datagrams, single.datagrams], [canBatch ? 'batched' : 'single', 'single']);
  const script = join(import.meta.dirname, '../testing/serve-sample.ts');
  const permissions = ['--permission', '--allow-fs-read=*', '--allow-net'];
  const child = spawn(process.execPath, [...permissions, script, '0'], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const [, port, way] = /^port (\d+), datagrams (\w+)/.exec(line.toString()) ?? [];
    assert.equal(way, 'single');
    assert.match(await digAt({ port: Number(port) }, ['+short', `web.${D}`]), /^127\.96\.0\.10$/m);
  } finally {
    child.kill();
    await once(child, 'exit');
  }
});

test('dig sees status, flags, SOA and the SRV target in the additional section', needs('dig'), async () => {
  const missing = await dig('A', `nobody.${D}`);
  assert.match(missing, /status: NXDOMAIN/);
  assert.match(missing, /flags: qr aa rd ra;/);
  assert.match(missing, /cluster\.local\.\s+5\s+IN\s+SOA/);
  assert.match(await dig('AAAA', `web.${D}`), /status: NOERROR[\s\S]*ANSWER: 0, AUTHORITY: 1/);
  assert.match(
    await dig('SRV', `_http._tcp.web.${D}`),
    /ADDITIONAL SECTION:\nweb\.default\S+\s+5\s+IN\s+A\s+127\.96\.0\.10/,
  );
  assert.match(await dig('A', 'example.com'), /status: REFUSED/);
  assert.match(await dig('+edns=1', '+noednsneg', 'A', `web.${D}`), /status: BADVERS/);
  assert.doesNotMatch(await dig('A', `web.${D}`), /Warning: |malformed|extra bytes/);
});

test('dig keeps the case that it asked in (0x20)', needs('dig'), async () => {
  for (let asks = 0; asks < 2; asks++) {
    assert.match(await dig('A', `WeB.dEfAuLt.svc.CLUSTER.local`), /\nWeB\.dEfAuLt\.svc\.CLUSTER\.local\.\s+5\s+IN\s+A/);
  }
});

test('dig is told of truncation and comes again over TCP', needs('dig'), async () => {
  assert.match(await dig('+ignore', '+bufsize=512', 'A', `many.${D}`), /flags: qr aa tc rd ra;/);
  assert.equal((await dig('+short', 'A', `many.${D}`)).trim().split('\n').length, 300);
});

test('dig gets several answers over one TCP connection', needs('dig'), async () => {
  const out = await dig(
    '+short',
    '+tcp',
    '+keepopen',
    'A',
    `web.${D}`,
    'A',
    `dual.${D}`,
    'A',
    'web.other.svc.cluster.local',
  );
  assert.deepEqual(out.trim().split('\n'), ['127.96.0.10', '127.96.0.11', '127.96.0.20']);
});

const QUERY = encode({
  id: 0xabcd,
  flags: RECURSION_DESIRED,
  questions: [{ type: 'A', name: `web.${D}` }],
});

test('questions that come in pieces, or many in one piece, over TCP are all answered; a half-closed asker too', async () => {
  const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
  const bytes: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => bytes.push(chunk));
  const framed = frame(QUERY);
  socket.write(framed.subarray(0, 1));
  socket.write(framed.subarray(1, 9));
  socket.write(framed.subarray(9));
  socket.end(Buffer.concat(Array.from({ length: 250 }, () => framed)));
  await once(socket, 'close');
  const answers = Buffer.concat(bytes);
  assert.equal(answers.length, 251 * (2 + QUERY.length + 16));
});

test('garbage over UDP and TCP leaves the server answering', async () => {
  const socket = createSocket('udp4');
  const random = seededRandom(7);
  for (let packets = 0; packets < 500; packets++) {
    const packet = Buffer.from(Array.from({ length: Math.floor(random() * 80) }, () => Math.floor(random() * 256)));
    socket.send(packet, server.port, '127.0.0.1');
  }
  const stream = connect(server.port, '127.0.0.1');
  stream.on('error', () => {});
  stream.end(Buffer.from([0, 3, 1, 2, 3, 0xff, 0xff, 0]));
  // Not once(): it fails when the connection is reset, which is as good an end.
  await new Promise((resolve) => stream.resume().on('close', resolve));
  // What the socket's buffer could not take was dropped, and may have been this: so it is asked again.
  const again = setInterval(() => socket.send(QUERY, server.port, '127.0.0.1'), 20);
  for (;;) {
    const [answer] = (await once(socket, 'message')) as [Buffer];
    if (answer.readUInt16BE(0) === 0xabcd && answer.length > QUERY.length) break;
  }
  clearInterval(again);
  socket.close();
});

test('close ends open connections and frees the port', async () => {
  const again = async (): Promise<DnsServer | undefined> => {
    const first = await startDns(local);
    const socket = connect(first.port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    const closed = new Promise((resolve) => socket.on('close', resolve));
    await first.close();
    await closed;
    return await startDns({ ...local, port: first.port }).catch((error: NodeJS.ErrnoException) => {
      assert.equal(error.code, 'EADDRINUSE');
      return undefined;
    });
  };
  // Somebody else may be given the port between: once in some ten thousand times, and never five times in a row.
  let second: DnsServer | undefined;
  for (let turn = 0; turn < 5 && second === undefined; turn++) second = await again();
  assert.ok(second !== undefined, 'the port is not freed');
  await assert.rejects(startDns({ ...local, port: second.port }), { code: 'EADDRINUSE' });
  await second.close();
});
