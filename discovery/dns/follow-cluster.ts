import type { Informer } from '../../api/client/informer.ts';
import type { EndpointSlice } from '../../api/kinds/endpoint-slice.ts';
import type { Service } from '../../api/kinds/service.ts';
import { CLUSTER_DOMAIN } from '../../api/meta/well-known.ts';
import type { Clock } from '../../kit/clock.ts';
import { buildRegistry } from '../registry/registry.ts';
import { buildZone, type Zone } from './zone.ts';

export interface FollowOptions {
  readonly services: Pick<Informer<Service>, 'list' | 'subscribe' | 'synced'>;
  readonly slices: Pick<Informer<EndpointSlice>, 'list' | 'subscribe' | 'synced'>;
  /** Where the zone will be served. */
  readonly serverAddress: string;
  /** `cluster.local` unless told. */
  readonly domain?: string;
  readonly clock: Clock;
}

export interface ClusterZone {
  /** The newest zone. The same object while nothing has changed; before the first lists are there, one that is not complete. */
  readonly zone: () => Zone;
  /** Stops following. The informers are their owner's to close. */
  readonly stop: () => void;
}

/** A zone that follows two informers. However many changes there are, it is built when it is asked for, and only then. */
export function followCluster({
  services,
  slices,
  serverAddress,
  domain = CLUSTER_DOMAIN,
  clock,
}: FollowOptions): ClusterZone {
  let current: Zone | undefined;
  let complete = false;
  let serial = Math.floor(clock.now() / 1000);
  const changed = (): void => {
    current = undefined;
  };
  const handlers = { onAdd: changed, onUpdate: changed, onDelete: changed };
  const subscriptions = [services.subscribe(handlers), slices.subscribe(handlers)];
  const becomeComplete = async (): Promise<void> => {
    await Promise.all([services.synced, slices.synced]);
    complete = true;
    changed();
  };
  // Closed before the first lists: the zone stays as it is.
  becomeComplete().catch(() => {});
  return {
    zone: () => {
      current ??= buildZone(buildRegistry(services.list(), slices.list()), {
        domain,
        serial: serial++,
        serverAddress,
        complete,
      });
      return current;
    },
    stop: () => {
      for (const unsubscribe of subscriptions) unsubscribe();
    },
  };
}
