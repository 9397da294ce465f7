import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { ROUTE_HEADER, tenant } from '../peers/job.ts';
import { Tally } from './outcome.ts';

// A closed loop: each connection asks again as soon as it has its answer. Usage: closed-loop.ts JSON
interface Spec {
  readonly port: number;
  readonly connections: number;
  readonly durationMs: number;
  /** Requests take turns through so many tenants. */
  readonly tenants?: number;
  readonly tls?: {
    readonly ca: string;
    readonly certificate?: string;
    readonly key?: string;
    readonly serverName: string;
    readonly resume?: boolean;
  };
  /** A new connection for each request. */
  readonly fresh?: boolean;
}

const spec = JSON.parse(process.argv[2] ?? '{}') as Spec;
const tally = new Tally();
const secure = spec.tls === undefined ? undefined : tlsOptions(spec.tls);
const requests = Array.from({ length: spec.tenants ?? 1 }, (_, at) => {
  const turn = spec.tenants === undefined ? '' : `${ROUTE_HEADER}: ${tenant(at)}\r\n`;
  return Buffer.from(
    `GET /some/path?with=query HTTP/1.1\r\nHost: bench.internal\r\nUser-Agent: bench\r\nAccept: */*\r\n${turn}\r\n`,
  );
});
let turn = 0;
let up = 0;
let session: Buffer | undefined;

function dial(): net.Socket {
  const to = { port: spec.port, host: '127.0.0.1', noDelay: true };
  if (secure === undefined) return net.connect(to);
  const socket = tls.connect({ ...to, ...secure, ...(session === undefined ? {} : { session }) });
  if (spec.tls?.resume === true) socket.on('session', (given) => void (session = given));
  return socket;
}

function tlsOptions({ ca, certificate, key, serverName }: NonNullable<Spec['tls']>): tls.ConnectionOptions {
  return {
    secureContext: tls.createSecureContext({
      ca: readFileSync(ca),
      ...(certificate === undefined ? {} : { cert: readFileSync(certificate) }),
      ...(key === undefined ? {} : { key: readFileSync(key) }),
      minVersion: 'TLSv1.3',
      // What every peer would choose is the same then.
      ciphers: 'TLS_AES_128_GCM_SHA256',
    }),
    servername: serverName,
    // A sidecar shows a SPIFFE id, which is no name.
    checkServerIdentity: () => undefined,
  };
}

function drive(): void {
  const dialledAt = performance.now();
  const socket = dial();
  let sentAt = 0;
  let wanted = -1;
  let got = 0;
  let done = false;
  let isUp = spec.fresh === true;
  const send = (): void => {
    wanted = -1;
    got = 0;
    sentAt = spec.fresh === true ? dialledAt : performance.now();
    turn = (turn + 1) % requests.length;
    socket.write(requests[turn] ?? '');
  };
  socket.on(secure === undefined ? 'connect' : 'secureConnect', send);
  socket.on('error', () => undefined);
  socket.on('close', () => {
    if (tally.over) return;
    if (!done) tally.failures++;
    if (spec.fresh === true) drive();
  });
  socket.on('data', (data) => {
    if (wanted < 0) {
      const end = data.indexOf('\r\n\r\n');
      if (end < 0 || data.toString('latin1', 9, 12) !== '200') {
        tally.failures++;
        done = true;
        socket.destroy();
        return;
      }
      const head = data.toString('latin1', 0, end);
      wanted = end + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    }
    got += data.length;
    if (got < wanted || tally.over) return;
    tally.answered(performance.now() - sentAt);
    if (!isUp) {
      isUp = true;
      if (++up === spec.connections) tally.begin(spec.durationMs);
    }
    if (spec.fresh === true) {
      done = true;
      socket.end();
    } else send();
  });
}

for (let at = 0; at < spec.connections; at++) drive();
if (spec.fresh === true) tally.begin(spec.durationMs);
