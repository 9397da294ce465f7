import type { IncomingMessage } from 'node:http';
import type { Server } from 'node:https';
import type { Duplex } from 'node:stream';
import type { ApiError } from '../../../api/meta/api-error.ts';
import type { Logger } from '../../../kit/log.ts';
import type { User } from '../authn/user.ts';
import { asApiError } from './api-failure.ts';
import { unknownPath } from './dispatch.ts';
import type { RequestInfo, ResourceInfo } from './request-info.ts';

/** One authenticated and authorized request that wants to become a WebSocket. */
export interface UpgradeCall {
  readonly info: ResourceInfo;
  readonly user: User;
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
  readonly connection: Duplex;
  /** What the client has sent already. */
  readonly head: Buffer;
}

/** Takes the connection over. As long as it throws, nothing has been said on it. */
export type UpgradeHandler = (call: UpgradeCall) => Promise<void>;

export interface UpgradeServing {
  readonly arrive: (request: IncomingMessage) => Promise<{
    readonly url: URL;
    readonly info: RequestInfo;
    readonly user: User;
  }>;
  readonly handler: UpgradeHandler;
  readonly log: Logger;
}

/** Whether a request asks for a WebSocket; what asks for anything else is answered as a plain request (RFC 9110, 7.8). */
export function wantsWebSocket({ headers, method }: IncomingMessage): boolean {
  return method === 'GET' && (headers.upgrade ?? '').toLowerCase() === 'websocket';
}

/** Serves what wants to become a WebSocket. Until it is one, failures are a Status, as everywhere. */
export function serveUpgrades(server: Server, { arrive, handler, log }: UpgradeServing): void {
  server.on('upgrade', (request: IncomingMessage, connection: Duplex, head: Buffer) => {
    connection.on('error', () => undefined);
    const answer = async (): Promise<void> => {
      const { url, info, user } = await arrive(request);
      if (info.type === 'path') throw unknownPath();
      await handler({ info, user, query: url.searchParams, request, connection, head });
    };
    answer().catch((error: unknown) => {
      refuse(connection, asApiError(error, log.child({ method: request.method, url: request.url })));
    });
  });
}

function refuse(connection: Duplex, { status }: ApiError): void {
  const body = JSON.stringify(status);
  const head = [
    `HTTP/1.1 ${status.code} ${status.reason ?? 'Failure'}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  connection.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
