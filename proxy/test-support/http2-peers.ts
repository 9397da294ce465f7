import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';

/** Node's own HTTP/1.1 and HTTP/2 as clients and servers: peers that nobody here wrote. */

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  readonly trailers: Readonly<Record<string, unknown>>;
}

export interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  readonly trailers?: Readonly<Record<string, string>>;
}

type Version = 'HTTP/1.1' | 'HTTP/2';

export interface TestClient extends AsyncDisposable {
  ask(asked: Asked): Promise<Answer>;
}

export function testClient(version: Version, port: number): TestClient {
  return version === 'HTTP/2' ? http2Client(port) : http1Client(port);
}

function http1Client(port: number): TestClient {
  const agent = new http.Agent({ keepAlive: true });
  return {
    ask: ({ method = 'GET', path = '/', headers = {}, body, trailers }) =>
      new Promise((resolve, reject) => {
        const all = {
          te: 'trailers',
          ...headers,
          ...(trailers === undefined ? {} : { 'transfer-encoding': 'chunked' }),
        };
        const request = http.request({
          port,
          host: '127.0.0.1',
          method,
          path,
          headers: all as http.OutgoingHttpHeaders,
          agent,
        });
        request.on('error', reject);
        request.on('response', (response) => {
          let text = '';
          response.setEncoding('latin1');
          response.on('data', (data: string) => void (text += data));
          response.on('error', reject);
          response.on('end', () => {
            const { statusCode = 0, headers: got, trailers: behind } = response;
            resolve({ status: statusCode, headers: got, body: text, trailers: behind });
          });
        });
        if (trailers !== undefined) request.addTrailers(trailers);
        request.end(body, 'latin1');
      }),
    [Symbol.asyncDispose]: async () => agent.destroy(),
  };
}

function http2Client(port: number): TestClient & { readonly session: http2.ClientHttp2Session } {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  return { session, ask: (asked) => askOver(session, asked), [Symbol.asyncDispose]: async () => session.destroy() };
}

export function askOver(session: http2.ClientHttp2Session, asked: Asked): Promise<Answer> {
  const { method = 'GET', path = '/', headers = {}, body, trailers } = asked;
  return new Promise((resolve, reject) => {
    const waitForTrailers = trailers !== undefined;
    const all = { ':method': method, ':path': path, ...headers } as http2.OutgoingHttpHeaders;
    const stream = session.request(all, {
      endStream: body === undefined && !waitForTrailers,
      waitForTrailers,
    });
    if (waitForTrailers) stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    let got: http2.IncomingHttpHeaders = {};
    let behind: http2.IncomingHttpHeaders = {};
    let text = '';
    stream.setEncoding('latin1');
    stream.on('response', (response) => void (got = response));
    stream.on('trailers', (fields) => void (behind = fields));
    stream.on('data', (data: string) => void (text += data));
    stream.on('error', reject);
    stream.on('close', () =>
      resolve({ status: Number(got[':status'] ?? 0), headers: got, body: text, trailers: behind }),
    );
    if (body !== undefined || waitForTrailers) stream.end(body ?? '', 'latin1');
  });
}

export type Handler = (
  request: http.IncomingMessage | http2.Http2ServerRequest,
  response: http.ServerResponse & http2.Http2ServerResponse,
  body: string,
) => void;

export interface TestServer extends AsyncDisposable {
  readonly port: number;
  /** Connections so far. */
  readonly connections: () => number;
  readonly server: http.Server | http2.Http2Server;
}

/** `handle` is called when the request is whole. */
export async function testServer(version: Version, handle: Handler): Promise<TestServer> {
  const listener = (request: http.IncomingMessage | http2.Http2ServerRequest, response: unknown): void => {
    let body = '';
    request.setEncoding('latin1');
    request.on('data', (data: string) => void (body += data));
    request.on('error', () => undefined);
    request.on('end', () => handle(request, response as http.ServerResponse & http2.Http2ServerResponse, body));
  };
  const server = version === 'HTTP/2' ? http2.createServer(listener) : http.createServer(listener);
  let connections = 0;
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket: { destroy(): void }) => {
    connections++;
    sockets.add(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    server,
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
