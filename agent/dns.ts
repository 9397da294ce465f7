import type { Client } from '../api/client/client.ts';
import { Informer } from '../api/client/informer.ts';
import { endpointSliceKind } from '../api/kinds/endpoint-slice.ts';
import { serviceKind } from '../api/kinds/service.ts';
import { followCluster } from '../discovery/dns/follow-cluster.ts';
import { startDns } from '../discovery/dns/server.ts';
import { parseResolvConf, type Upstream } from '../discovery/dns/upstream.ts';
import type { Clock } from '../kit/clock.ts';
import { readTextIfPresent } from '../kit/disk.ts';
import type { Logger } from '../kit/log.ts';
import type { Random } from '../kit/random.ts';

export interface NodeDnsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly address: string;
  /** 0 for the system's choice. */
  readonly port: number;
  /** Servers for names outside the cluster; those that the machine itself asks when undefined. */
  readonly upstreams: readonly Upstream[] | undefined;
}

export interface NodeDns {
  readonly port: number;
  close(): Promise<void>;
}

const RESOLV_CONF = '/etc/resolv.conf';

/** The node's DNS server: the cluster's names from the API, all others from upstream servers. */
export async function startNodeDns(options: NodeDnsOptions): Promise<NodeDns> {
  const { client, clock, random, log, address, port } = options;
  const shared = { client, clock, random, log };
  const services = new Informer({ ...shared, kind: serviceKind });
  const slices = new Informer({ ...shared, kind: endpointSliceKind });
  const cluster = followCluster({ services, slices, serverAddress: address, clock });
  const closeInformers = async (): Promise<void> => {
    cluster.stop();
    await Promise.all([services.close(), slices.close()]);
  };
  try {
    const forwardTo = options.upstreams ?? parseResolvConf((await readTextIfPresent(RESOLV_CONF)) ?? '');
    const server = await startDns({ address, port, zone: cluster.zone, forwardTo, clock, random, log });
    return {
      port: server.port,
      close: async () => {
        await server.close();
        await closeInformers();
      },
    };
  } catch (error) {
    await closeInformers();
    throw error;
  }
}
