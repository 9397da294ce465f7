import net from 'node:net';
import { ECHO_BYTES, maskedFrame } from './frame.ts';
import { Tally } from './outcome.ts';

// WebSockets, each of which sends its message again as soon as it has come back. Usage: websocket.ts JSON
interface Spec {
  readonly port: number;
  readonly connections: number;
  readonly durationMs: number;
}

const spec = JSON.parse(process.argv[2] ?? '{}') as Spec;
const tally = new Tally();
const frame = maskedFrame();
let up = 0;

function drive(): void {
  const socket = net.connect({ port: spec.port, host: '127.0.0.1', noDelay: true });
  let open = false;
  let head = '';
  let got = 0;
  let sentAtMs = 0;
  const send = (): void => {
    got = 0;
    sentAtMs = performance.now();
    socket.write(frame);
  };
  socket.write(
    'GET /echo HTTP/1.1\r\nHost: bench.internal\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  socket.on('error', () => undefined);
  socket.on('close', () => {
    if (!tally.over) tally.failures++;
  });
  socket.on('data', (data) => {
    if (!open) {
      head += data.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      if (!head.startsWith('HTTP/1.1 101')) {
        tally.failures++;
        socket.destroy();
        return;
      }
      open = true;
      if (++up === spec.connections) tally.begin(spec.durationMs);
      send();
      return;
    }
    got += data.length;
    if (got < ECHO_BYTES || tally.over) return;
    tally.answered(performance.now() - sentAtMs);
    send();
  });
}

for (let at = 0; at < spec.connections; at++) drive();
