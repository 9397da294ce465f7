import net from 'node:net';
import { Tally } from './outcome.ts';

// An open loop: requests fall due at a steady rate, whatever became of those before; one that finds no connection free waits, and its
// latency counts from when it was due. Usage: open-loop.ts JSON
interface Spec {
  readonly port: number;
  readonly connections: number;
  readonly durationMs: number;
  readonly requestsPerSecond: number;
}

const TURN_MS = 2;
const spec = JSON.parse(process.argv[2] ?? '{}') as Spec;
const tally = new Tally();
const request = Buffer.from(
  'GET /some/path?with=query HTTP/1.1\r\nHost: bench.internal\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n',
);
const END = Buffer.from('\r\n\r\n');
const free: ((dueMs: number) => void)[] = [];
const waiting: number[] = [];
let up = 0;

function dial(): void {
  const socket = net.connect({ port: spec.port, host: '127.0.0.1', noDelay: true });
  let sentAtMs = 0;
  let answer = Buffer.alloc(0);
  const send = (dueMs: number): void => {
    sentAtMs = dueMs;
    socket.write(request);
  };
  const next = (): void => {
    const due = waiting.shift();
    if (due === undefined) free.push(send);
    else send(due);
  };
  socket.on('data', (data: Buffer<ArrayBuffer>) => {
    answer = answer.length === 0 ? data : Buffer.concat([answer, data]);
    const head = answer.indexOf(END);
    const length =
      head < 0 ? Number.NaN : Number(/content-length: (\d+)/i.exec(answer.toString('latin1', 0, head))?.[1]);
    if (!(answer.length >= head + 4 + length)) return;
    if (answer.toString('latin1', 9, 12) === '200') tally.answered(performance.now() - sentAtMs);
    else tally.failures++;
    answer = Buffer.alloc(0);
    next();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    if (!tally.over) tally.failures++;
  });
  socket.on('connect', () => {
    next();
    if (++up === spec.connections) begin();
  });
}

function begin(): void {
  tally.begin(spec.durationMs);
  const startedAtMs = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    if (tally.over) return clearInterval(timer);
    const now = performance.now();
    for (; sent < ((now - startedAtMs) / 1000) * spec.requestsPerSecond; sent++) {
      const due = startedAtMs + (sent * 1000) / spec.requestsPerSecond;
      // The one that has been free longest, so that all are used alike.
      const send = free.shift();
      if (send === undefined) waiting.push(due);
      else send(due);
    }
  }, TURN_MS);
}

for (let at = 0; at < spec.connections; at++) dial();
