import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type net from 'node:net';
import type { ServerCertificate } from './certificates.ts';

/** An application that answers each request with what `say` makes of it, in plain text or over TLS. */
export async function backend(
  say: (request: IncomingMessage) => string,
  certificate?: ServerCertificate,
): Promise<AsyncDisposable & { readonly port: number }> {
  const answer: http.RequestListener = (request, response) => void response.end(say(request));
  const server =
    certificate === undefined
      ? http.createServer(answer)
      : https.createServer({ cert: certificate.cert, key: certificate.key }, answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as net.AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
