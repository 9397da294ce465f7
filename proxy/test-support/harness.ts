import net from 'node:net';
import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';
import { type Clock, systemClock } from '../../kit/clock.ts';
import { type Logger, silentLog } from '../../kit/log.ts';
import { seededRandom } from '../../kit/random.ts';
import { createEngine } from '../data-plane.ts';
import type { Engine } from '../engine.ts';
import type { ReadMode } from '../listener/listener.ts';
import type { ListeningSockets } from '../socket/listening-sockets.ts';
import type { ProxyTables } from '../tables.ts';
import type { Tracer } from '../tracing/tracer.ts';

export interface RunningEngine extends AsyncDisposable {
  readonly engine: Engine;
  /** Access-log lines so far, parsed. */
  readonly log: Record<string, unknown>[];
  port(listener: string): number;
}

export interface EngineSetup {
  readonly tables: ProxyTables;
  readonly readMode?: ReadMode;
  readonly identity?: MeshIdentity;
  readonly clock?: Clock;
  readonly tracer?: Tracer;
  readonly sockets?: ListeningSockets;
  /** What the process itself logs; nowhere when missing. */
  readonly processLog?: Logger;
}

/** A real engine on loopback, closed by `await using`. */
export async function startEngine(setup: EngineSetup): Promise<RunningEngine> {
  const log: Record<string, unknown>[] = [];
  const engine = createEngine({
    clock: setup.clock ?? systemClock(),
    random: seededRandom(7),
    log: setup.processLog ?? silentLog(),
    accessLog: {
      format: 'json',
      sink: (lines) => {
        for (const line of lines.trim().split('\n')) log.push(JSON.parse(line) as Record<string, unknown>);
      },
    },
    ...(setup.tracer === undefined ? {} : { tracer: setup.tracer }),
    ...(setup.sockets === undefined ? {} : { sockets: setup.sockets }),
    ...(setup.readMode === undefined ? {} : { readMode: setup.readMode }),
  });
  if (setup.identity !== undefined) engine.setIdentity(setup.identity);
  const problems = await engine.apply(setup.tables);
  if (problems.length > 0) throw new Error(`apply tables: ${JSON.stringify(problems)}`);
  return {
    engine,
    log,
    port: (name) => engine.listeners().find((listener) => listener.name === name)?.port ?? 0,
    [Symbol.asyncDispose]: () => engine.close(),
  };
}

/** Sends bytes and gathers what comes back until the other side closes, or until `enough` says so. */
export function rawExchange(
  port: number,
  pieces: string | readonly string[],
  enough: (answer: string) => boolean = () => false,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    const finish = (): void => {
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`raw exchange: no end within 30 s; so far ${JSON.stringify(answer)}`));
    }, 30_000);
    socket.on('data', (data) => {
      answer += data.toString('latin1');
      if (enough(answer)) finish();
    });
    socket.on('end', finish);
    socket.on('error', finish);
    socket.on('close', () => clearTimeout(timer));
    socket.on('connect', () => void sendAll(socket, typeof pieces === 'string' ? [pieces] : pieces));
  });
}

async function sendAll(socket: net.Socket, pieces: readonly string[]): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return;
    await new Promise<void>((resolve) => socket.write(piece, 'latin1', () => resolve()));
    // A turn of the loop, so that pieces arrive apart.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export interface RawUpstream extends AsyncDisposable {
  readonly port: number;
  /** Bytes received per connection, in the order the connections came. */
  readonly received: string[];
  readonly connections: number;
}

/** A server that answers with exactly the bytes it is told: what a hostile or broken upstream is made of. */
export async function rawUpstream(
  onRequest: (socket: net.Socket, received: string, connection: number) => void,
): Promise<RawUpstream> {
  const received: string[] = [];
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    const index = received.push('') - 1;
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (data) => {
      received[index] += data.toString('latin1');
      onRequest(socket, received[index] ?? '', index);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    received,
    get connections() {
      return received.length;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers each request whose head has come; for requests without bodies. */
export function answering(response: string): (socket: net.Socket, received: string) => void {
  return (socket, received) => {
    if (received.endsWith('\r\n\r\n')) socket.write(response, 'latin1');
  };
}

/** Asks again until it holds; a bounded wait, not a sleep. */
export async function eventually(holds: () => boolean, what: string): Promise<void> {
  const until = performance.now() + 30_000;
  while (!holds()) {
    if (performance.now() > until) throw new Error(`waited 30 s for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
