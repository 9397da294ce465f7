import net from 'node:net';
import { PAYLOAD_BYTES } from './frame.ts';
import { Tally } from './outcome.ts';

// TCP connections, each of which sends its bytes again as soon as they have come back. Usage: tcp.ts JSON
interface Spec {
  readonly port: number;
  readonly connections: number;
  readonly durationMs: number;
}

const spec = JSON.parse(process.argv[2] ?? '{}') as Spec;
const tally = new Tally();
const message = Buffer.alloc(PAYLOAD_BYTES, 'x');
let up = 0;

function drive(): void {
  const socket = net.connect({ port: spec.port, host: '127.0.0.1', noDelay: true });
  let open = false;
  let got = 0;
  let sentAtMs = 0;
  const send = (): void => {
    got = 0;
    sentAtMs = performance.now();
    socket.write(message);
  };
  socket.on('connect', send);
  socket.on('error', () => undefined);
  socket.on('close', () => {
    if (!tally.over) tally.failures++;
  });
  socket.on('data', (data) => {
    got += data.length;
    if (got < PAYLOAD_BYTES || tally.over) return;
    if (open) tally.answered(performance.now() - sentAtMs);
    else {
      open = true;
      if (++up === spec.connections) tally.begin(spec.durationMs);
    }
    send();
  });
}

for (let at = 0; at < spec.connections; at++) drive();
