import net from 'node:net';

/** Many clients that each cost little to make and should cost little to have. */
export interface Attack {
  readonly name: string;
  /** What one client sends at once. */
  readonly opening: string;
  /** What it goes on with, a piece at each `everyMs`; '' for nothing. */
  readonly drip: string;
  readonly everyMs: number;
  /** It takes what comes back. */
  readonly reads: boolean;
  /** What a client of this kind may cost the proxy while it is there, copies that the collector has not met yet included. */
  readonly bytesPerClient: number;
  /** Of kinds that fill sockets' own buffers, megabytes a client: more of them exhaust the kernel's memory for TCP, not the proxy's. */
  readonly atMost: number;
  /** The cluster's breaker: fewer than the clients where it is to keep them from their neighbours, out of the way where they are as quick ones. */
  readonly maxRequests: number;
}

const FEW = 100;
const OUT_OF_THE_WAY = 100_000;

const HEAD = 'GET /x HTTP/1.1\r\nHost: a\r\n';

export const ATTACKS: readonly Attack[] = [
  {
    name: 'connections that say nothing',
    opening: '',
    drip: '',
    everyMs: 0,
    reads: true,
    bytesPerClient: 32 * 1024,
    atMost: Number.POSITIVE_INFINITY,
    maxRequests: OUT_OF_THE_WAY,
  },
  {
    name: 'slow heads',
    opening: HEAD,
    drip: 'X',
    everyMs: 250,
    reads: true,
    bytesPerClient: 40 * 1024,
    atMost: Number.POSITIVE_INFINITY,
    maxRequests: OUT_OF_THE_WAY,
  },
  {
    name: 'slow bodies',
    opening: 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n',
    drip: 'x',
    everyMs: 250,
    reads: true,
    bytesPerClient: 64 * 1024,
    atMost: Number.POSITIVE_INFINITY,
    maxRequests: FEW,
  },
  {
    name: 'slow chunks',
    opening: 'POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n',
    drip: '1\r\nx\r\n',
    everyMs: 250,
    reads: true,
    bytesPerClient: 64 * 1024,
    atMost: Number.POSITIVE_INFINITY,
    maxRequests: FEW,
  },
  {
    name: 'bodies that the application does not read',
    opening: 'POST /stuck HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n',
    drip: 'x'.repeat(256 * 1024),
    everyMs: 10,
    reads: true,
    bytesPerClient: 4 * 1024 * 1024,
    atMost: 10,
    maxRequests: OUT_OF_THE_WAY,
  },
  {
    name: 'large answers that nobody reads',
    opening: 'GET /large HTTP/1.1\r\nHost: a\r\n\r\n',
    drip: '',
    everyMs: 0,
    reads: false,
    bytesPerClient: 4 * 1024 * 1024,
    atMost: 20,
    maxRequests: OUT_OF_THE_WAY,
  },
  {
    name: 'pipelined requests whose answers nobody reads',
    opening: 'GET /medium HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2000),
    drip: '',
    everyMs: 0,
    reads: false,
    bytesPerClient: 4 * 1024 * 1024,
    atMost: 20,
    maxRequests: OUT_OF_THE_WAY,
  },
];

export interface AttackUnderWay {
  /** Connections that the proxy ended; each was made again. */
  readonly ended: number;
  /** As many as were asked for have been let in. */
  readonly atFullStrength: Promise<void>;
  stop(): void;
}

/** Keeps `count` clients at it, new ones for those that are thrown out, until it is stopped. */
export function attack(kind: Attack, port: number, count: number): AttackUnderWay {
  const sockets = new Set<net.Socket>();
  let ended = 0;
  let connected = 0;
  const full = Promise.withResolvers<undefined>();
  let stopped = false;
  const begin = (): void => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    sockets.add(socket);
    if (!kind.reads) socket.pause();
    else socket.resume();
    socket.on('error', () => undefined);
    socket.on('connect', () => {
      socket.write(kind.opening);
      if (++connected === count) full.resolve(undefined);
    });
    socket.on('close', () => {
      sockets.delete(socket);
      if (stopped) return;
      ended++;
      begin();
    });
  };
  for (let at = 0; at < count; at++) begin();
  const dripping =
    kind.drip === ''
      ? undefined
      : setInterval(() => {
          for (const socket of sockets) if (!socket.connecting && !socket.writableNeedDrain) socket.write(kind.drip);
        }, kind.everyMs);
  return {
    get ended() {
      return ended;
    },
    atFullStrength: full.promise,
    stop: () => {
      stopped = true;
      clearInterval(dripping);
      for (const socket of sockets) socket.resetAndDestroy();
    },
  };
}
