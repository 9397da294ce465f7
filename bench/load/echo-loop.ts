import net from 'node:net';
import { Tally } from './outcome.ts';

interface Spec {
  readonly port: number;
  readonly connections: number;
  readonly durationMs: number;
}

export interface Echo {
  readonly message: Buffer;
  /** What comes back of it. */
  readonly echoBytes: number;
  /** A request that must be answered with 101 before; without it the first echo says that the connection is up. */
  readonly upgrade?: string;
}

/** Connections, each of which sends its message again as soon as it has come back. What the program is given says how many. */
export function echoLoop({ message, echoBytes, upgrade }: Echo): void {
  const spec = JSON.parse(process.argv[2] ?? '{}') as Spec;
  const tally = new Tally();
  let up = 0;

  const drive = (): void => {
    const socket = net.connect({ port: spec.port, host: '127.0.0.1', noDelay: true });
    let isUp = false;
    let head = '';
    let got = 0;
    let sentAtMs = 0;
    const send = (): void => {
      got = 0;
      sentAtMs = performance.now();
      socket.write(message);
    };
    const begin = (): void => {
      isUp = true;
      if (++up === spec.connections) tally.begin(spec.durationMs);
    };
    socket.on('connect', () => (upgrade === undefined ? send() : socket.write(upgrade)));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (!tally.over) tally.failures++;
    });
    socket.on('data', (data) => {
      if (upgrade !== undefined && !isUp) {
        head += data.toString('latin1');
        if (!head.includes('\r\n\r\n')) return;
        if (!head.startsWith('HTTP/1.1 101')) {
          tally.failures++;
          socket.destroy();
          return;
        }
        begin();
        send();
        return;
      }
      got += data.length;
      if (got < echoBytes || tally.over) return;
      if (isUp) tally.answered(performance.now() - sentAtMs);
      else begin();
      send();
    });
  };

  for (let at = 0; at < spec.connections; at++) drive();
}
