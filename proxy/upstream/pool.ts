import type { EndpointState } from '../cluster/endpoint-state.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

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

/** A connection that ended by itself while idle. */
export function forgetIdle(endpoint: EndpointState, connection: UpstreamConnection): void {
  const at = endpoint.idle.lastIndexOf(connection);
  if (at >= 0) endpoint.idle.splice(at, 1);
}
