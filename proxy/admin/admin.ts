import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { Plane } from '../engine.ts';
import { descriptorOf } from '../socket/descriptor.ts';
import { listen } from '../socket/listen.ts';
import { CONTENT_TYPE } from '../telemetry/exposition.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import { describeCertificates } from './describe-certificates.ts';
import { describeTables } from './describe-tables.ts';

export interface AdminOptions {
  readonly engine: Plane;
  readonly clock: Clock;
  readonly log: Logger;
  readonly address: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Of a socket that listens there already: the process before had it. */
  readonly fd?: number | undefined;
  /** What the process adds to /config: its identity, the state of its control plane stream and such. */
  readonly extra?: () => Readonly<Record<string, unknown>>;
}

/** An open admin endpoint. */
export interface Admin {
  readonly port: number;
  /** For a successor. */
  readonly descriptor: number | undefined;
  close(): Promise<void>;
}

/** Which process answers: after a hot restart it is another one. agent/sidecar/admin-client.ts reads it. */
const PROCESS_HEADER = 'x-tutti-process';

/** What /drain waits when it is not told (linkerd's shutdown grace is two minutes, Kubernetes' default grace 30 s). */
const DEFAULT_DRAIN_MS = 25_000;
const MAX_DRAIN_MS = 3_600_000;

/**
 * The proxy's own door, for its agent and for people; loopback only, and not for browsers.
 *
 * GET /ready (200 or 503), /config, /clusters, /certs, /metrics; POST /drain?deadlineMs=N, which answers when the drain is over.
 */
export async function createAdmin(options: AdminOptions): Promise<Admin> {
  // An import of node:http reads every one of its exports, and WebSocket among them loads the whole of undici: 4 MB and 30 ms of each
  // sidecar's start. This way nothing is read that is not used, and that only now: the control plane works meanwhile.
  const { createServer } = process.getBuiltinModule('node:http');
  const metrics = createMetrics(options.engine);
  const server = createServer((request, response) => {
    void respond(request, response, options, metrics).catch((error: unknown) => {
      options.log.warn({ error }, `admin: answer "${request.url ?? ''}"`);
      response.destroy();
    });
  });
  const { port, address: host, fd } = options;
  await listen(server, fd === undefined ? { port, host } : { fd });
  return {
    port: portOf(server),
    descriptor: descriptorOf(server),
    close: () =>
      new Promise((resolve) => {
        metrics.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  options: AdminOptions,
  metrics: Metrics,
): Promise<void> {
  const { engine } = options;
  response.setHeader(PROCESS_HEADER, String(process.pid));
  const url = new URL(request.url ?? '/', 'http://admin');
  // A page in somebody's browser must not be able to drain a proxy: browsers say where a request comes from.
  if (request.headers.origin !== undefined || request.headers['sec-fetch-site'] !== undefined) {
    text(response, 403, 'not for browsers');
    return;
  }
  switch (`${request.method ?? ''} ${url.pathname}`) {
    case 'GET /ready':
      text(response, engine.ready && !engine.draining ? 200 : 503, readiness(engine));
      break;
    case 'GET /config':
      json(response, {
        ...options.extra?.(),
        listeners: (await engine.figures()).listeners(),
        tables: describeTables(engine.tables),
      });
      break;
    case 'GET /clusters':
      json(response, (await engine.figures()).clusters());
      break;
    case 'GET /certs':
      json(response, describeCertificates(engine.identity, options.clock.now()));
      break;
    case 'GET /metrics':
      response.writeHead(200, { 'content-type': CONTENT_TYPE }).end(await metrics.scrape());
      break;
    case 'POST /drain':
      await engine.drain(deadlineOf(url));
      text(response, 200, 'drained');
      break;
    default:
      text(response, 404, 'GET /ready, /config, /clusters, /certs, /metrics; POST /drain?deadlineMs=N');
  }
}

function readiness(engine: Plane): string {
  if (engine.draining) return 'draining';
  return engine.ready ? 'ready' : 'waiting for the first configuration';
}

function deadlineOf(url: URL): number {
  const given = Number(url.searchParams.get('deadlineMs') ?? DEFAULT_DRAIN_MS);
  return Number.isFinite(given) && given >= 0 ? Math.min(given, MAX_DRAIN_MS) : DEFAULT_DRAIN_MS;
}

function text(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${body}\n`);
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(body, null, 2)}\n`);
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
