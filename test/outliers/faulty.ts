import { rawExchange, rawUpstream } from '../../proxy/test-support/harness.ts';
import { freePort } from '../support/free-port.ts';

export type Behaviour =
  /** A whole answer with that status. */
  | number
  /** Nobody listens. */
  | 'refuse'
  /** Reads the request and closes. */
  | 'reset'
  /** An answer of 200 of which the end never comes. */
  | 'cut'
  | 'silent'
  | 'garbage'
  /** 500, but each fifth answer is 200. */
  | 'every-fifth';

export interface FaultyUpstream extends AsyncDisposable {
  readonly port: number;
}

/** A route's time in every scenario: what makes an answer that never comes a failure. */
export const ROUTE_TIMEOUT_MS = 100;

/** `onSilence`: a request has come that will not be answered. */
export async function faultyUpstream(behaviour: Behaviour, onSilence = (): void => {}): Promise<FaultyUpstream> {
  if (behaviour === 'refuse') return { port: await freePort(), [Symbol.asyncDispose]: () => Promise.resolve() };
  let turn = 0;
  return await rawUpstream((socket, received) => {
    if (!received.endsWith('\r\n\r\n')) return;
    turn++;
    if (typeof behaviour === 'number') socket.write(answer(behaviour));
    else if (behaviour === 'every-fifth') socket.write(answer(turn % 5 === 0 ? 200 : 500));
    else if (behaviour === 'reset') socket.destroy();
    else if (behaviour === 'cut') socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
    else if (behaviour === 'silent') onSilence();
    else if (behaviour === 'garbage') socket.end('nonsense\r\n\r\n');
  });
}

/** One after the other, each on a connection of its own. */
export async function sendRequests(port: number, count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await rawExchange(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  }
}

function answer(status: number): string {
  return `HTTP/1.1 ${status} Some\r\nContent-Length: 2\r\n\r\nok`;
}
