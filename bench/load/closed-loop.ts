import net from 'node:net';

// A closed loop: each connection asks again as soon as it has its answer. Usage: closed-loop.ts PORT CONNECTIONS MILLISECONDS
// Prints one line of JSON: requests, failures, and latencies in milliseconds.
const [port = 0, connections = 1, durationMs = 1000] = process.argv.slice(2).map(Number);
const request = Buffer.from(
  'GET /some/path?with=query HTTP/1.1\r\nHost: bench.example\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n',
);

// Latencies in steps of 10 µs, the last for all that is longer.
const STEP_MS = 0.01;
const latencies = new Uint32Array(100_000);
let requests = 0;
let failures = 0;
let stopped = false;
const sockets: net.Socket[] = [];

function drive(): void {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  sockets.push(socket);
  let sentAt = 0;
  let wanted = -1;
  let got = 0;
  const send = (): void => {
    wanted = -1;
    got = 0;
    sentAt = performance.now();
    socket.write(request);
  };
  socket.on('connect', send);
  socket.on('error', () => undefined);
  socket.on('close', () => {
    if (!stopped) failures++;
  });
  socket.on('data', (data) => {
    if (wanted < 0) {
      const end = data.indexOf('\r\n\r\n');
      if (end < 0 || data.toString('latin1', 9, 12) !== '200') {
        failures++;
        socket.destroy();
        return;
      }
      const head = data.toString('latin1', 0, end);
      wanted = end + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    }
    got += data.length;
    if (got < wanted) return;
    if (stopped) return;
    requests++;
    const step = Math.min(latencies.length - 1, Math.floor((performance.now() - sentAt) / STEP_MS));
    latencies[step] = (latencies[step] ?? 0) + 1;
    send();
  });
}

function percentile(share: number): number {
  let left = requests * share;
  const step = latencies.findIndex((count) => (left -= count) < 0);
  return Number(((step < 0 ? latencies.length : step) * STEP_MS).toFixed(3));
}

for (let at = 0; at < connections; at++) drive();
setTimeout(() => {
  stopped = true;
  for (const socket of sockets) socket.destroy();
  const line = { requests, failures, p50Ms: percentile(0.5), p99Ms: percentile(0.99), p999Ms: percentile(0.999) };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}, durationMs);
