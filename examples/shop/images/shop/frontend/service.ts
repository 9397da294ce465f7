// How every service of the shop serves HTTP. Each image is whole by itself, so each has its own copy of this file; a
// test holds the copies equal.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';

export interface Call {
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Reply {
  readonly status?: number;
  /** Sent as JSON, with who answered. */
  readonly json?: Readonly<Record<string, unknown>>;
  readonly html?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Route = (call: Call) => Reply | Promise<Reply>;

export interface Service {
  readonly name: string;
  readonly version: string;
  /** By method and path: `GET /products`. */
  readonly routes: Readonly<Record<string, Route>>;
}

const MAX_BODY_BYTES = 64 * 1024;

/** The replica: the pod's name where it is told. */
export const replica = process.env['POD_NAME'] ?? process.env['HOSTNAME'] ?? hostname();

/** A failure that the caller is to be told of. */
export class HttpError extends Error {
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** Serves on PORT (8080 unless told, 0 for any) until SIGTERM or SIGINT, then answers what is under way and ends. */
export function serve({ name, version, routes }: Service): void {
  let draining = false;
  const ownRoutes: Readonly<Record<string, Route>> = {
    'GET /healthz': () => ({ json: { status: 'ok' } }),
    'GET /readyz': () => (draining ? { status: 503, json: { status: 'draining' } } : { json: { status: 'ready' } }),
    'GET /headers': ({ headers }) => ({ json: { headers } }),
  };

  async function answer(request: IncomingMessage): Promise<Reply> {
    const url = URL.parse(request.url ?? '/', 'http://shop.invalid');
    if (url === null) throw new HttpError(400, 'address: cannot be read');
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET');
    const key = `${method} ${url.pathname}`;
    const route = ownRoutes[key] ?? routes[key];
    if (route === undefined) throw new HttpError(404, `no such page: ${key}`);
    return await route({ url, headers: request.headers, body: await readBody(request) });
  }

  function send(response: ServerResponse, { status = 200, json, html, headers }: Reply): void {
    const text = html ?? JSON.stringify({ ...json, service: name, version, replica });
    response.writeHead(status, {
      'content-type': html === undefined ? 'application/json' : 'text/html; charset=utf-8',
      'content-length': Buffer.byteLength(text),
      'x-served-by': `${name}/${version} ${replica}`,
      ...(draining ? { connection: 'close' } : {}),
      ...headers,
    });
    response.end(text);
  }

  const log = (fields: Readonly<Record<string, unknown>>): void =>
    void process.stdout.write(
      `${JSON.stringify({ time: new Date().toISOString(), service: name, version, ...fields })}\n`,
    );

  const server = createServer((request, response) => {
    const startedAt = performance.now();
    response.on('close', () => {
      const { method, url, headers } = request;
      if (url === '/healthz' || url === '/readyz') return;
      const ms = Math.round((performance.now() - startedAt) * 10) / 10;
      const trace = headers['traceparent'];
      log({
        method,
        path: url,
        status: response.statusCode,
        ms,
        ...(trace === undefined ? {} : { traceparent: trace }),
      });
    });
    answer(request).then(
      (reply) => send(response, reply),
      (error: unknown) => {
        const status = error instanceof HttpError ? error.status : 500;
        if (status === 500) log({ error: String(error) });
        if (!response.headersSent)
          send(response, { status, json: { error: error instanceof Error ? error.message : 'failed' } });
      },
    );
  });

  function stop(): void {
    if (draining) return;
    draining = true;
    log({ message: 'stopping' });
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  }
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);

  server.on('error', (error) => {
    log({ error: error.message });
    process.exit(1);
  });
  server.listen(Number(process.env['PORT'] ?? 8080), () => {
    log({ message: 'listening', port: (server.address() as AddressInfo).port, replica });
  });
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new HttpError(413, 'body too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
