import type { Http2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { createGrpcServer } from './grpc.ts';
import { readProduct, writeAnswer, writeHealth } from './message.ts';

const version = process.env['VERSION'] ?? 'v1';
const replica = process.env['POD_NAME'] ?? process.env['HOSTNAME'] ?? hostname();

let draining = false;

const server = createGrpcServer({
  // The same product always has the same number: some are few, none is none.
  '/shop.Stock/Count': (request) => {
    const product = readProduct(request);
    const left = Buffer.from(product).reduce((sum, byte) => sum + byte, 0) % 20;
    return writeAnswer(left + 1, `stock/${version} ${replica}`);
  },
  '/grpc.health.v1.Health/Check': () => writeHealth(draining ? 'not serving' : 'serving'),
});

const sessions = new Set<Http2Session>();
server.on('session', (session) => {
  sessions.add(session);
  session.on('close', () => sessions.delete(session));
});

function log(fields: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), service: 'stock', version, ...fields })}\n`);
}

/** Answers what is under way (GOAWAY tells clients to go elsewhere), and ends. */
function stop(): void {
  if (draining) return;
  draining = true;
  log({ message: 'stopping' });
  server.close(() => process.exit(0));
  for (const session of sessions) session.close();
}
process.on('SIGTERM', stop);
process.on('SIGINT', stop);

server.on('error', (error) => {
  log({ error: error.message });
  process.exit(1);
});
server.listen(Number(process.env['PORT'] ?? 50_051), () => {
  log({ message: 'listening', port: (server.address() as AddressInfo).port, replica });
});
