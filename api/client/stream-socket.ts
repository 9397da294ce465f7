import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';
import { ApiError } from '../meta/api-error.ts';
import { errorOfAnswer, errorOfConnection } from './failures.ts';
import type { HttpClientOptions } from './http-client.ts';

/** Streams as channels of a WebSocket, one of which either side can close (k8s.io/apimachinery remotecommand/constants.go). */
const PROTOCOL = 'v5.channel.k8s.io';
const CLOSE = 255;
const ANSWER_TIMEOUT_MS = 30_000;

/** An open exec, attach or port-forward. */
export interface StreamSocket {
  /** Resolves when the network has taken it: whoever waits sends no faster than it is read. */
  send(channel: number, bytes: Uint8Array): Promise<void>;
  /** Says that no more comes on the channel. */
  end(channel: number): Promise<void>;
  /** The messages as they come; no more are read than are asked for. Ends with the connection. */
  messages(): AsyncIterable<{ readonly channel: number; readonly bytes: Buffer }>;
  /** Cuts the connection. */
  close(): void;
}

export type StreamSocketOptions = Pick<
  HttpClientOptions,
  'server' | 'caPem' | 'insecureSkipTlsVerify' | 'credentials' | 'userAgent'
>;

/** Opens the WebSocket of a path. Throws ApiError: the server's own Status where it refuses. */
export async function openStreamSocket(options: StreamSocketOptions, path: string): Promise<StreamSocket> {
  const { server, caPem, insecureSkipTlsVerify, credentials, userAgent } = options;
  const socket = new WebSocket(`${server.replace(/^http/, 'ws').replace(/\/$/, '')}${path}`, [PROTOCOL], {
    headers: {
      'user-agent': userAgent,
      ...(credentials.kind === 'token' ? { authorization: `Bearer ${await credentials.token()}` } : {}),
    },
    handshakeTimeout: ANSWER_TIMEOUT_MS,
    perMessageDeflate: false,
    ...(caPem === undefined ? {} : { ca: caPem }),
    ...(insecureSkipTlsVerify === true ? { rejectUnauthorized: false } : {}),
    ...(credentials.kind === 'certificate' ? { cert: credentials.certificatePem, key: credentials.keyPem } : {}),
  });
  // What comes before anybody asks for messages would be lost.
  socket.once('open', () => socket.pause());
  try {
    const refused = once(socket, 'unexpected-response').then(async ([, response]) => {
      const answer = response as IncomingMessage;
      throw errorOfAnswer(answer.statusCode ?? 0, await text(answer));
    });
    await Promise.race([once(socket, 'open'), refused]);
  } catch (error) {
    socket.on('error', () => undefined);
    socket.terminate();
    throw error instanceof ApiError ? error : errorOfConnection(error, server);
  }
  // 'close' follows, and tells all that there is to do.
  socket.on('error', () => undefined);
  const send = (message: Uint8Array): Promise<void> =>
    new Promise((resolve) => socket.send(message, { binary: true }, () => resolve()));
  return {
    send: (channel, bytes) => send(Buffer.concat([Buffer.of(channel), bytes])),
    end: (channel) => send(Buffer.of(CLOSE, channel)),
    messages: () => messagesOf(socket),
    close: () => socket.terminate(),
  };
}

async function* messagesOf(socket: WebSocket): AsyncGenerator<{ readonly channel: number; readonly bytes: Buffer }> {
  const waiting: Buffer[] = [];
  let wake: () => void = () => undefined;
  let isOpen = socket.readyState === socket.OPEN;
  socket.on('message', (message: Buffer) => {
    waiting.push(message);
    socket.pause();
    wake();
  });
  socket.once('close', () => {
    isOpen = false;
    wake();
  });
  for (;;) {
    for (const message of waiting.splice(0)) {
      const channel = message[0];
      if (channel !== undefined) yield { channel, bytes: message.subarray(1) };
    }
    if (waiting.length > 0) continue;
    if (!isOpen) return;
    const more = new Promise<void>((resolve) => (wake = resolve));
    socket.resume();
    await more;
  }
}
