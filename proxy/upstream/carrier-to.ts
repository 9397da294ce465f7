import { MESH_BYTES_PROTOCOL } from '../../api/meta/well-known.ts';
import type { EndpointState } from '../cluster/endpoint-state.ts';
import type { ForwardPlan } from '../route/plan.ts';
import type { Runtime } from '../runtime.ts';
import type { Carrier, CarrierUser } from './carrier.ts';
import { hopTo } from './hop.ts';
import { openStream } from './http2-pool.ts';
import { takeIdle } from './pool.ts';
import type { Tries } from './tries.ts';
import { UpstreamConnection } from './upstream-connection.ts';

/**
 * What carries a try: a connection that is idle, a stream of one that is shared, or a new one, which is then connecting. `plan`: undefined of
 * CONNECT, which wants bytes. `client`: what the client speaks.
 */
export function carrierTo(
  runtime: Runtime,
  tries: Pick<Tries, 'cluster' | 'count'>,
  endpoint: EndpointState,
  plan: ForwardPlan | undefined,
  client: 'http1' | 'http2',
  user: CarrierUser,
): Carrier {
  const { cluster } = tries;
  const again = tries.count > 1;
  const generation = cluster.config.tls === undefined ? 0 : runtime.meshTls.generation;
  // A tunnel needs a connection of its own.
  const hop = plan === undefined ? 'http1' : hopTo(cluster.config, endpoint, client, plan, runtime.clock);
  if (hop !== 'http1') {
    const purpose = plan?.upgrade === '' ? 'request' : 'tunnel';
    return openStream(runtime, { cluster, endpoint, generation, hop, purpose, again }, user);
  }
  // A repeated try, and a tunnel, want a connection that is sure to be alive.
  const idle = again || plan === undefined ? undefined : takeIdle(endpoint, generation);
  if (idle === undefined) {
    return new UpstreamConnection(
      runtime,
      cluster,
      endpoint,
      user,
      plan === undefined ? MESH_BYTES_PROTOCOL : 'http/1.1',
    );
  }
  idle.use(user);
  return idle;
}
