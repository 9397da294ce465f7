import type { Random } from '../../kit/random.ts';
import type { ClusterConfig } from '../cluster/cluster-config.ts';
import type { EndpointState } from '../cluster/endpoint-state.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

const AGE_JITTER = 0.1;

/** Idle connections kept for one endpoint. More are not worth their memory: what is in flight is not counted. */
const MAX_IDLE = 512;

/**
 * The idle connection that was used last (the others may then grow old and be closed), or undefined. One whose identity
 * has been replaced meanwhile is closed instead: so a rotation moves the traffic over within the requests that come.
 */
export function takeIdle(endpoint: EndpointState, generation: number): UpstreamConnection | undefined {
  for (;;) {
    const connection = endpoint.idle.pop();
    if (connection === undefined || connection.generation === generation) return connection;
    connection.close();
  }
}

/** Keeps a connection whose answer is complete, or closes it. */
export function keepIdle(endpoint: EndpointState, connection: UpstreamConnection, generation: number): void {
  if (endpoint.removed || connection.generation !== generation || endpoint.idle.length >= MAX_IDLE) connection.close();
  else endpoint.idle.push(connection);
}

/** Monotonic time from which on a connection made now takes nothing more. */
export function retirementOf({ maxConnectionMs }: ClusterConfig, nowMs: number, random: Random): number {
  return maxConnectionMs === 0 ? Number.POSITIVE_INFINITY : nowMs + maxConnectionMs * (1 - AGE_JITTER * random());
}

/** A connection that ended by itself while idle. */
export function forgetIdle(endpoint: EndpointState, connection: UpstreamConnection): void {
  const at = endpoint.idle.lastIndexOf(connection);
  if (at >= 0) endpoint.idle.splice(at, 1);
}
