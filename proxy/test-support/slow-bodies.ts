import { FakeClock } from '../../kit/fake-clock.ts';
import { type RawUpstream, type RunningEngine, rawUpstream, startEngine } from './harness.ts';
import { cluster, forward, listener, route, routeTable, tables } from './tables.ts';

export interface SlowBodies extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly proxy: RunningEngine;
  readonly upstream: RawUpstream;
}

/** An engine whose time stands still, before an upstream that takes all bodies, answers GET, and begins an answer to `/talk` at once. */
export async function beforeSlowBodies(
  direction: 'ingress' | 'inbound' = 'ingress',
  maxRequests = 1024,
): Promise<SlowBodies> {
  const clock = new FakeClock();
  const upstream = await rawUpstream((socket, received) => {
    if (received.includes('/talk ')) socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    if (received.startsWith('GET')) socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
  const proxy = await startEngine({
    clock,
    tables: tables(
      [listener('in', 't', { direction }, { idleTimeoutMs: 900_000 })],
      [routeTable('t', [route(forward('app'))])],
      [cluster('app', [upstream.port], { maxRequests })],
    ),
  });
  return {
    clock,
    proxy,
    upstream,
    [Symbol.asyncDispose]: async () => {
      await proxy.engine.close();
      await upstream[Symbol.asyncDispose]();
    },
  };
}
