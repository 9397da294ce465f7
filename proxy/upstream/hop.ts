import { MESH_HTTP1_PROTOCOL } from '../../api/meta/well-known.ts';
import type { Clock } from '../../kit/clock.ts';
import type { ClusterConfig } from '../cluster/cluster-config.ts';
import type { EndpointState } from '../cluster/endpoint-state.ts';
import { DEFAULT_WINDOW_BYTES } from '../http2/frame.ts';
import { CONNECTION_WINDOW_BYTES } from '../http2/limits.ts';

/** What the next hop is spoken to in: the last is HTTP/1.1 carried by HTTP/2 between two proxies. */
export type Hop = 'http1' | 'http2' | typeof MESH_HTTP1_PROTOCOL;

/**
 * So many that their windows together fit into the connection's: a client that does not read its answer holds up nobody that shares
 * the connection with it.
 */
export const MAX_CARRIED_STREAMS = Math.floor(CONNECTION_WINDOW_BYTES / DEFAULT_WINDOW_BYTES);

/** A larger head goes by HTTP/1.1: HTTP/2 counts 32 bytes more a field, so what one proxy just let pass the next would refuse. */
const MAX_CARRIED_HEAD_BYTES = 16 * 1024;

/** Its proxy may be another by then (an upgrade keeps the address); asking in vain costs a handshake, and no request. */
const FORGET_AFTER_MS = 60_000;

/** Until when (monotonic) endpoints are not asked. */
const withoutHttp2 = new WeakMap<EndpointState, number>();

/** The endpoint answered that it wants HTTP/1.1: it is not asked again for a while. */
export function wantsHttp1(endpoint: EndpointState, nowMs: number): void {
  withoutHttp2.set(endpoint, nowMs + FORGET_AFTER_MS);
}

/** A request as it matters here: http1/render-request.ts' head, and what it upgrades to or ''. */
interface Carried {
  readonly head: string;
  readonly upgrade: string;
}

/** Which protocol a try goes by. `client`: what the client speaks; where the caller's proxy carries for one, what that one speaks. */
export function hopTo(
  cluster: ClusterConfig,
  endpoint: EndpointState,
  client: 'http1' | 'http2',
  { head, upgrade }: Carried,
  clock: Pick<Clock, 'monotonic'>,
): Hop {
  const spoken = cluster.protocol === 'downstream' ? client : cluster.protocol;
  // Where HTTP/1.1 is spoken an upgrade needs a connection of its own, also where HTTP/2 would carry it.
  if (upgrade !== '') return spoken;
  if (spoken === 'http2' || cluster.tls === undefined) return spoken;
  if (head.length > MAX_CARRIED_HEAD_BYTES) return 'http1';
  const until = withoutHttp2.get(endpoint);
  return until !== undefined && clock.monotonic() < until ? 'http1' : MESH_HTTP1_PROTOCOL;
}
