// Clients of the soak that no load generator has: those that count what an app saw, slow ones, and long conversations.
import { randomBytes } from 'node:crypto';
import { Agent, type ClientRequest, request } from 'node:http';
import type { Duplex } from 'node:stream';
import { pause } from '../support/mesh.ts';

export interface Target {
  readonly port: number;
  readonly host: string;
}

/** What a client did, and what of it went wrong. */
export interface Account {
  done: number;
  /** In words, one for each. */
  readonly failed: string[];
}

function open({ port, host }: Target, method: string, path: string, agent: Agent | false = false): ClientRequest {
  return request({ host: '127.0.0.1', port, method, path, agent, headers: { host } });
}

/** Something that a client does over and over until it is told to stop. */
type Turn = (turn: number) => Promise<void>;

async function repeat(account: Account, signal: AbortSignal, turn: Turn): Promise<Account> {
  for (let count = 0; !signal.aborted; count++) {
    try {
      await turn(count);
      account.done++;
    } catch (error) {
      account.failed.push((error as Error).message);
      await pause(100);
    }
  }
  return account;
}

/** A POST whose id the app writes down, so that it can be told whether one that failed had been seen, or one was seen twice. */
export async function post(target: Target, signal: AbortSignal, prefix: string): Promise<Account> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const account = await repeat({ done: 0, failed: [] }, signal, async (turn) => {
    const id = `${prefix}-${turn}`;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    open(target, 'POST', `/work?id=${id}`, agent)
      .on('response', (response) => response.resume().on('end', () => resolve(response.statusCode ?? 0)))
      .on('error', () => resolve(0))
      .setTimeout(60_000, () => reject(new Error(id)))
      .end('x'.repeat(100));
    if ((await promise) !== 200) throw new Error(id);
    await pause(100);
  });
  agent.destroy();
  return account;
}

/** Reads a body of `bytes` slowly: a pause after each piece, so that all buffers on the way fill. */
export function readSlowly(target: Target, signal: AbortSignal, bytes: number): Promise<Account> {
  return repeat({ done: 0, failed: [] }, signal, async () => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    open(target, 'GET', `/bytes?count=${bytes}`)
      .on('error', reject)
      .on('response', (response) => {
        let got = 0;
        response.on('data', (piece: Buffer) => {
          got += piece.length;
          response.pause();
          setTimeout(() => response.resume(), 20);
        });
        response.on('close', () => (got === bytes ? resolve() : reject(new Error(`${got} of ${bytes} bytes`))));
        response.on('error', reject);
      })
      .end();
    await promise;
  });
}

/** Sends a body in small pieces over a few seconds, and wants it back whole. */
export function writeSlowly(target: Target, signal: AbortSignal): Promise<Account> {
  return repeat({ done: 0, failed: [] }, signal, async () => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const sending = open(target, 'PUT', '/echo')
      .on('error', reject)
      .on('response', (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        response.on('end', () => resolve(text)).on('error', reject);
      });
    const pieces = Array.from({ length: 20 }, (_, index) => `${index};`.repeat(500));
    for (const piece of pieces) {
      sending.write(piece);
      await pause(100);
    }
    sending.end();
    if ((await promise) !== pieces.join('')) throw new Error('the echo is not what was sent');
  });
}

/** One upgraded connection that is asked and answers for as long as the soak goes. */
export async function converse(target: Target, signal: AbortSignal): Promise<Account> {
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
  request({
    host: '127.0.0.1',
    port: target.port,
    path: '/',
    agent: false,
    headers: {
      host: target.host,
      connection: 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-key': randomBytes(16).toString('base64'),
      'sec-websocket-version': '13',
    },
  })
    .on('upgrade', (_response, socket) => resolve(socket))
    .on('response', ({ statusCode }) => reject(new Error(`no upgrade, but ${statusCode}`)))
    .on('error', reject)
    .end();
  const socket = await promise;
  let closed = false;
  socket.on('close', () => (closed = true)).on('error', () => socket.destroy());
  const account = await repeat({ done: 0, failed: [] }, signal, async (turn) => {
    if (closed) throw new Error('the connection is gone');
    const answer = Promise.withResolvers<string>();
    socket.once('data', (data: Buffer) => answer.resolve(data.toString()));
    socket.write(`${turn}\n`);
    const late = setTimeout(() => answer.reject(new Error('no echo within 60 s')), 60_000);
    const text = await answer.promise.finally(() => clearTimeout(late));
    if (text !== `${turn}\n`) throw new Error(`echo of ${turn}: ${text}`);
    await pause(500);
  });
  socket.destroy();
  return account;
}
