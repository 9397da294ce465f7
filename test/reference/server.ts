import { Agent, type Dispatcher, request } from 'undici';

/** A server that cases are put to, as its administrator. */
export interface ReferenceServer {
  /** `https://127.0.0.1:6443` */
  readonly url: string;
  readonly dispatcher: Dispatcher;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Credentials {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
}

/** Without `ca` the server's certificate is not verified: the oracle makes one for itself, on loopback. */
export function referenceServer(url: string, { ca, cert, key, token }: Credentials): ReferenceServer {
  const tls = ca === undefined ? { rejectUnauthorized: false } : { ca };
  const client = cert === undefined || key === undefined ? {} : { cert, key };
  return {
    url,
    dispatcher: new Agent({ connect: { ...tls, ...client }, bodyTimeout: 30_000, headersTimeout: 30_000 }),
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  };
}

export async function send(
  server: ReferenceServer,
  { method, path, headers, body, signal }: SentRequest,
): Promise<Dispatcher.ResponseData> {
  return await request(server.url + path, {
    method,
    dispatcher: server.dispatcher,
    headers: { ...server.headers, ...headers },
    body: body ?? null,
    signal: signal ?? null,
  });
}

interface SentRequest {
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}
