import type { ClusterState } from '../cluster/cluster-state.ts';
import type { EndpointState } from '../cluster/endpoint-state.ts';
import type { Runtime } from '../runtime.ts';
import type { Carrier, CarrierUser } from './carrier.ts';
import type { Hop } from './hop.ts';
import { Http2Connection } from './http2-connection.ts';

/**
 * What a connection's streams are for. Tunnels have connections of their own, so few on each that their windows fit into the
 * connection's: a WebSocket whose client stands still holds up no request.
 */
export type Purpose = 'request' | 'tunnel';

export interface StreamWanted {
  readonly cluster: ClusterState;
  readonly endpoint: EndpointState;
  /** Of our identity; 0 without TLS. */
  readonly generation: number;
  readonly hop: Exclude<Hop, 'http1'>;
  readonly purpose: Purpose;
  /** A try before this one has failed. */
  readonly again: boolean;
}

/**
 * A stream to the endpoint: on the first connection that has room, so that the last ones fall idle and are closed, or on a new
 * one. A connection whose identity has been replaced meanwhile finishes what it carries and takes no more.
 */
export function openStream(runtime: Runtime, wanted: StreamWanted, user: CarrierUser): Carrier {
  const connection = roomFor(wanted) ?? begin(runtime, wanted);
  return connection.open(user, wanted.again ? 'again' : 'first');
}

function roomFor({ endpoint, generation, hop, purpose }: StreamWanted): Http2Connection | undefined {
  const { shared } = endpoint;
  for (let at = 0; at < shared.length; at++) {
    const connection = shared[at];
    if (connection === undefined) break;
    if (connection.generation !== generation) {
      // It takes itself out.
      connection.retire();
      at--;
    } else if (connection.hop === hop && connection.purpose === purpose && connection.hasRoom) return connection;
  }
  return undefined;
}

function begin(runtime: Runtime, wanted: StreamWanted): Http2Connection {
  const connection = new Http2Connection(runtime, wanted);
  wanted.endpoint.shared.push(connection);
  return connection;
}
