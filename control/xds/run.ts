import type { Client } from '../../api/client/client.ts';
import { endpointSliceKind } from '../../api/kinds/endpoint-slice.ts';
import type { Proxy } from '../../api/kinds/proxy.ts';
import type { Clock, Timer } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { Random } from '../../kit/random.ts';
import { Debounce } from './debounce.ts';
import { Hub } from './hub.ts';
import { type XdsMetrics, xdsMetrics } from './metrics.ts';
import type { IdentityFeed } from './proxy-listener.ts';
import type { ResourceKind } from './resource.ts';
import { serveXds } from './server.ts';
import { StatusWriter } from './status/status-writer.ts';
import { Memo } from './translate/memo.ts';
import { translate } from './translate/translation.ts';
import { watchWorld } from './watch-world.ts';

export interface XdsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly address: string;
  /** 0 for the system's choice. */
  readonly port: number;
  /** The control plane's own; IdentitySource (certs/workload/) is one. */
  readonly identity: IdentityFeed;
  readonly trustDomain: string;
}

export interface Xds {
  readonly port: number;
  /** What every proxy has, and what it carried: the API server's `proxies`. */
  listProxies(): readonly Proxy[];
  readonly metrics: XdsMetrics;
  close(): Promise<void>;
}

// A burst of changes (a Deployment that scales) is one push; a single one waits no longer than a scheduler's tick.
// Where proxies cannot be told as fast as things change, one translation takes in the more: none is made that few proxies would get.
const TRANSLATE = { quietMs: 10, maxMs: 100, busyMs: 500 };
// Each is a write of its own, which brings a translation: while ACKs keep coming, "12 of 500 proxies" is not said more often.
const DECIDE_STATUS = { quietMs: 10, maxMs: 200 };

/** The xDS controller: world to snapshots, snapshots to proxies, their answers to status. Resolves when it listens. */
export async function startXds(options: XdsOptions): Promise<Xds> {
  const { client, clock, random, log, trustDomain } = options;
  const startedMs = clock.now();
  const memo = new Memo((what, error) => log.error({ what, error }, 'an object cannot be told to proxies'));
  const status = new StatusWriter({ client, clock, random, log, startedMs });
  let again: Timer | undefined;

  const decideStatus = new Debounce(clock, DECIDE_STATUS, () => {
    const { translation } = hub;
    if (translation === undefined) return;
    again?.stop();
    const proxies = hub.views();
    const inAMoment = status.evaluate({ translation, classes: world.objects().gatewayClasses, proxies });
    if (inAMoment !== undefined) again = clock.timer(inAMoment, () => decideStatus.ask());
  });
  /** When the first change came that no translation has taken in yet. */
  let changedMs: number | undefined;
  let statusToo = true;
  const onChange = (kind: string): void => {
    changedMs ??= clock.now();
    // Nothing that status says follows from endpoints alone, but for pods that leave.
    statusToo ||= kind !== endpointSliceKind.kind;
    retranslate.ask();
  };
  let leaving = false;
  const onProgress = (answered?: ResourceKind): void => {
    // Routes and Gateways are carried by listeners and routes; only of a pod that leaves it matters who knows its endpoints.
    const matters = answered === undefined || answered === 'listener' || answered === 'route';
    if (matters || (answered === 'endpoints' && leaving)) decideStatus.ask();
  };
  const hub = new Hub({ clock, log, onProgress });
  const retranslate = new Debounce(clock, { ...TRANSLATE, busy: () => hub.busy }, () => {
    if (!synced) return;
    const changedAtMs = changedMs ?? clock.now();
    changedMs = undefined;
    const translation = translate(world.objects(), trustDomain, memo);
    leaving = [...translation.world.pods.values()].some(({ metadata }) => metadata.deletionTimestamp != null);
    hub.setTranslation(translation, changedAtMs);
    memo.sweep();
    if (statusToo || leaving) decideStatus.ask();
    statusToo = false;
  });
  const world = watchWorld({ client, clock, random, log, onChange });
  let synced = false;
  void world.synced.then(() => {
    synced = true;
    return retranslate.ask();
  }, ignoreClosed);
  const close = async (): Promise<void> => {
    retranslate.close();
    decideStatus.close();
    again?.stop();
    await Promise.all([world.close(), status.close()]);
  };

  const { identity, address, port } = options;
  const metrics = xdsMetrics();
  const server = await serveXds({ hub, identity, metrics, clock, log, address, port, name: 'tutti' }).catch(
    async (error: unknown) => {
      await close();
      throw error;
    },
  );
  return {
    port: server.port,
    metrics,
    listProxies: () => hub.listProxies(),
    close: async () => {
      await server.close();
      await close();
    },
  };
}

/** Closed before the first list was there. */
function ignoreClosed(): void {}
