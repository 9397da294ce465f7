import type { ClusterState } from '../cluster/cluster-state.ts';
import type { EndpointState } from '../cluster/endpoint-state.ts';
import type { Runtime } from '../runtime.ts';
import type { Carrier, CarrierUser } from './carrier.ts';
import { Http2Connection } from './http2-connection.ts';

export interface StreamWanted {
  readonly cluster: ClusterState;
  readonly endpoint: EndpointState;
  /** Of our identity; 0 without TLS. */
  readonly generation: number;
  /** A try before this one has failed. */
  readonly again: boolean;
}

/**
 * A stream to the endpoint: on the first connection that has room, so that the last ones fall idle and are closed, or on a new
 * one. A connection whose identity has been replaced meanwhile finishes what it carries and takes no more.
 */
export function openStream(runtime: Runtime, wanted: StreamWanted, user: CarrierUser): Carrier {
  const { cluster, endpoint, generation, again } = wanted;
  for (const stale of endpoint.shared.filter((one) => one.generation !== generation)) stale.retire();
  let connection = endpoint.shared.find(({ hasRoom }) => hasRoom);
  if (connection === undefined) {
    connection = new Http2Connection(runtime, cluster, endpoint, generation);
    endpoint.shared.push(connection);
  }
  return connection.open(user, again ? 'again' : 'first');
}
