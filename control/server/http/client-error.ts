import type { Socket } from 'node:net';
import { ApiError } from '../../../api/meta/api-error.ts';
import type { Status } from '../../../api/meta/status.ts';

/** What node:http could not read as a request, by its error's code, as HTTP says it. */
const FAILURES: Readonly<Record<string, readonly [code: number, phrase: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'the URL and headers are over 16384 bytes: send less'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'the request did not come in whole in time'],
};

/** Answers with a Status what is no request, and closes the connection. */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [code, phrase, message] = FAILURES[error.code ?? ''] ?? [400, 'Bad Request', 'this is not an HTTP request'];
  const status: Status = { ...ApiError.badRequest(message).status, code };
  const body = JSON.stringify(status);
  socket.end(
    `HTTP/1.1 ${code} ${phrase}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
