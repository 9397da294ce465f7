import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { seededRandom } from '../../kit/random.ts';
import { createEngine } from '../../proxy/data-plane.ts';
import type { Downstream } from '../../proxy/filters/request-draft.ts';
import type { HttpConnectionConfig } from '../../proxy/listener/listener-config.ts';
import type { Runtime } from '../../proxy/runtime.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../../proxy/test-support/tables.ts';

/** Who the client of a benchmark is. */
export const FROM: Downstream = {
  direction: 'outbound',
  scheme: 'http',
  peerAddress: '10.0.0.1',
  peerId: '',
  ownId: '',
  trustForwarded: true,
  listenerPort: 80,
};

export interface BenchEngine {
  readonly runtime: Runtime;
  /** What a client's connection is told. */
  readonly http: HttpConnectionConfig;
  close(): Promise<void>;
}

/** An engine that forwards everything to one upstream, cluster "app", and keeps its connections for an hour. */
export async function startEngine(upstreamPort: number, protocol: 'http1' | 'http2'): Promise<BenchEngine> {
  const engine = createEngine({
    clock: systemClock(),
    random: seededRandom(1),
    log: silentLog(),
    accessLog: undefined,
  });
  const http = listener('out', 'out').chains[0]?.http;
  if (http === undefined) throw new Error('the chain speaks no HTTP');
  await engine.apply(
    tables(
      [listener('out', 'out')],
      [routeTable('out', [route(forward('app'), { path: { kind: 'prefix', value: '/' } })])],
      [cluster('app', [upstreamPort], { protocol, poolIdleMs: 3_600_000 })],
    ),
  );
  // The engine is what its connections know as their runtime.
  return { runtime: engine as unknown as Runtime, http, close: () => engine.close() };
}
