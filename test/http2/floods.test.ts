import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http2 from 'node:http2';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { type Job, PLAIN } from '../../bench/peers/job.ts';
import { encodeField } from '../../proxy/http2/hpack/encoder.ts';
import { frame, framesOf, requestBlock, setting, u32 } from '../../proxy/test-support/http2-frames.ts';
import { askOver, type TestServer, testServer } from '../../proxy/test-support/http2-peers.ts';
import { eventually as awaited } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { type Usage, usage } from '../support/process-usage.ts';

const [DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, , PING, GOAWAY, WINDOW_UPDATE, CONTINUATION] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
];
const [END_STREAM, END_HEADERS, WHOLE] = [1, 4, 5];
const ENHANCE_YOUR_CALM = 11;
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const MEGABYTE = 1024 * 1024;

/** What one attack may add to the proxy's memory, the collector's slack included. */
const MOST_GROWTH = 96 * MEGABYTE;

const numbers = Array.from({ length: 20_000 }, (_, at) => at * 2 + 1);
const repeated = (one: Buffer, count = 20_000): Buffer => Buffer.concat(Array.from({ length: count }, () => one));
const request = (id: number, flags = WHOLE): Buffer => frame(HEADERS, flags, id, requestBlock([], 'POST'));

/** One field of 4,000 octets that the table remembers, and then one octet for each time that it is meant. */
function hpackBomb(id: number): Buffer {
  const first = `\x40${encodeField('x-bomb', 'b'.repeat(4000)).slice(1)}`;
  const block = Buffer.from(requestBlock() + first + '\xbe'.repeat(14_000), 'latin1');
  return Buffer.concat([
    frame(HEADERS, END_STREAM, id, block.subarray(0, 16_384)),
    frame(CONTINUATION, END_HEADERS, id, block.subarray(16_384)),
  ]);
}

const FLOODS: readonly (readonly [name: string, bytes: () => Buffer])[] = [
  ['PING', () => repeated(frame(PING, 0, 0, '12345678'))],
  ['SETTINGS', () => repeated(frame(SETTINGS, 0, 0, setting(4, 65_535)))],
  ['PRIORITY', () => repeated(frame(PRIORITY, 0, 1, `${u32(3)}\0`))],
  ['WINDOW_UPDATE', () => repeated(frame(WINDOW_UPDATE, 0, 0, u32(1)))],
  ['empty DATA', () => Buffer.concat([request(1, END_HEADERS), repeated(frame(DATA, 0, 1))])],
  [
    'rapid reset',
    () => Buffer.concat(numbers.map((id) => Buffer.concat([request(id), frame(RST_STREAM, 0, id, u32(8))]))),
  ],
  [
    'MadeYouReset',
    () =>
      Buffer.concat(
        numbers.map((id) => Buffer.concat([request(id, END_HEADERS), frame(WINDOW_UPDATE, 0, id, u32(0))])),
      ),
  ],
  ['empty CONTINUATION', () => Buffer.concat([request(1, END_STREAM), repeated(frame(CONTINUATION, 0, 1))])],
  [
    'CONTINUATION',
    () => Buffer.concat([request(1, END_STREAM), repeated(frame(CONTINUATION, 0, 1, 'x'.repeat(16_000)), 500)]),
  ],
];

const eventually = (look: () => Promise<boolean> | boolean, what: string): Promise<unknown> => awaited(what, look);

interface Attack {
  readonly socket: net.Socket;
  readonly goAway: () => number | undefined;
}

/** A client that has said hello and sends what it is told, whatever it is answered. */
function attacker(port: number, bytes: Buffer, read: 'reads' | 'does not read' = 'reads'): Attack {
  const pieces: Buffer[] = [];
  const socket = net.connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  if (read === 'reads') socket.on('data', (data: Buffer) => void pieces.push(data));
  socket.write(Buffer.concat([PREFACE, frame(SETTINGS, 0, 0), bytes]));
  return {
    socket,
    goAway: () =>
      framesOf(Buffer.concat(pieces))
        .find(({ type }) => type === GOAWAY)
        ?.payload.readUInt32BE(4),
  };
}

describe('floods over real sockets', { timeout: 400_000 }, () => {
  let app: TestServer;
  let proxy: ChildProcess;
  let port = 0;
  let folder = '';

  before(async () => {
    app = await testServer('HTTP/1.1', (request, response) => {
      response.end(request.url === '/big' ? 'x'.repeat(MEGABYTE) : 'ok');
    });
    port = await freePort();
    const script = join(import.meta.dirname, '..', '..', 'bench', 'peers', 'tutti.ts');
    folder = await mkdtemp(join(tmpdir(), 'tutti-floods-'));
    const upstreams = [{ address: '127.0.0.1', port: app.port }];
    const job: Omit<Job, 'certificates'> = { ...PLAIN, folder, port, upstreams };
    await writeFile(join(folder, 'job.json'), JSON.stringify(job));
    proxy = spawn(process.execPath, [script, join(folder, 'job.json')], { stdio: 'inherit' });
    await eventually(
      () =>
        new Promise<boolean>((resolve) => {
          const probe = net.connect({ port, host: '127.0.0.1' }, () => {
            probe.destroy();
            resolve(true);
          });
          probe.on('error', () => resolve(false));
        }),
      'the proxy to listen',
    );
  });

  after(async () => {
    proxy.kill();
    await app[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  /** What the proxy has cost so far, where /proc tells. */
  const cost = (): Usage => (process.platform === 'linux' ? usage(proxy.pid ?? 0) : { cpuMicros: 0, rssBytes: 0 });

  /** Runs an attack while a neighbour goes on asking over a connection of its own; nothing of that may fail. */
  async function withNeighbour(t: TestContext, attack: () => Promise<void>): Promise<void> {
    const neighbour = http2.connect(`http://127.0.0.1:${port}`);
    const attacking = new AbortController();
    let answered = 0;
    const asking = (async () => {
      while (!attacking.signal.aborted) {
        const { status, body } = await askOver(neighbour, {});
        assert.deepEqual([status, body], [200, 'ok']);
        answered++;
      }
    })();
    await eventually(() => answered > 20, 'the neighbour to be at work');
    const earlier = cost();
    await attack();
    const done = answered;
    await eventually(() => answered > done + 20, 'the neighbour to go on');
    attacking.abort();
    await asking;
    neighbour.destroy();
    const later = cost();
    const growth = later.rssBytes - earlier.rssBytes;
    const told = `${(growth / MEGABYTE).toFixed(0)} MB more, ${(later.cpuMicros - earlier.cpuMicros) / 1000} ms of CPU, the neighbour's included`;
    t.diagnostic(told);
    assert.ok(growth < MOST_GROWTH, told);
  }

  for (const [name, bytes] of FLOODS) {
    test(`${name}: the connection ends with ENHANCE_YOUR_CALM, the neighbour goes on`, async (t) => {
      await withNeighbour(t, async () => {
        const { socket, goAway } = attacker(port, bytes());
        await eventually(() => goAway() !== undefined, 'GOAWAY');
        assert.equal(goAway(), ENHANCE_YOUR_CALM);
        await eventually(() => socket.destroyed || socket.readableEnded, 'the end of the connection');
        socket.destroy();
      });
    });
  }

  test('a client that never reads what it asks for is cut off, and what waits for it is bounded', async (t) => {
    await withNeighbour(t, async () => {
      const { socket } = attacker(port, Buffer.alloc(0), 'does not read');
      socket.pause();
      const pings = repeated(frame(PING, 0, 0, '12345678'), 900);
      await eventually(() => {
        if (!socket.destroyed) socket.write(pings);
        return socket.destroyed;
      }, 'the end of the connection');
      socket.destroy();
    });
  });

  test('HPACK bombs are refused with 431 and forgotten', async (t) => {
    await withNeighbour(t, async () => {
      const pieces: Buffer[] = [];
      const { socket } = attacker(port, Buffer.concat(numbers.slice(0, 90).map(hpackBomb)));
      socket.on('data', (data: Buffer) => void pieces.push(data));
      const answers = (): number =>
        framesOf(Buffer.concat(pieces)).filter(({ type, payload }) => type === HEADERS && payload.includes('431'))
          .length;
      await eventually(() => answers() === 90, 'ninety answers');
      socket.destroy();
    });
  });

  test('answers for windows of zero wait within bounds', async (t) => {
    await withNeighbour(t, async () => {
      const big = (id: number): Buffer =>
        frame(HEADERS, WHOLE, id, requestBlock().replace('\x04\x01/', encodeField(':path', '/big')));
      const asked = Buffer.concat([frame(SETTINGS, 0, 0, setting(4, 0)), ...numbers.slice(0, 100).map(big)]);
      const attackers = Array.from({ length: 4 }, () => attacker(port, asked));
      await eventually(() => app.connections() >= 400, 'four hundred requests at the application');
      for (const { socket } of attackers) socket.destroy();
    });
  });
});
