import { isDeepStrictEqual } from 'node:util';
import type { Client, PatchType } from '../../../api/client/client.ts';
import { gatewayKind } from '../../../api/kinds/gateway.ts';
import { type GatewayClass, gatewayClassKind } from '../../../api/kinds/gateway-class.ts';
import { httpRouteKind } from '../../../api/kinds/http-route.ts';
import type { Kind, KubeObject } from '../../../api/kinds/kind.ts';
import { type Pod, podKind } from '../../../api/kinds/pod.ts';
import { tcpRouteKind } from '../../../api/kinds/tcp-route.ts';
import { tlsRouteKind } from '../../../api/kinds/tls-route.ts';
import { hasCode } from '../../../api/meta/api-error.ts';
import { GATEWAY_CONTROLLER, UNROUTED } from '../../../api/meta/well-known.ts';
import { type Clock, timestamp } from '../../../kit/clock.ts';
import type { Logger } from '../../../kit/log.ts';
import type { Random } from '../../../kit/random.ts';
import { Workqueue } from '../../../kit/workqueue.ts';
import { takeCensus } from '../convergence.ts';
import type { ProxyView } from '../proxy-view.ts';
import type { Translation } from '../translate/translation.ts';
import { unroutedPods } from '../unrouted.ts';
import { isStarting, type StatusMoment } from './converged.ts';
import { gatewayStatus } from './gateway-status.ts';
import { byteRouteParents, routeParents, withConditions } from './route-status.ts';

export interface StatusWriterOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly startedMs: number;
}

/** What status follows from, at one moment; both of the same translation. */
export interface StatusInputs {
  readonly translation: Translation;
  readonly classes: readonly GatewayClass[];
  readonly proxies: readonly ProxyView[];
}

interface Write {
  readonly key: string;
  readonly status: unknown;
  /** The object that the write was decided on. */
  readonly resourceVersion: string;
  readonly send: (client: Client) => Promise<unknown>;
}

// How soon to look again while something waits for time to pass.
const LOOK_AGAIN_MS = 500;
const WRITES_AT_ONCE = 8;

/**
 * Writes what the proxies' answers mean: conditions of HTTPRoutes, TLSRoutes, TCPRoutes, Gateways and GatewayClasses, and which pods are
 * unrouted. Each object has one write at a time, always the newest decision.
 */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #queue: Workqueue;
  readonly #wanted = new Map<string, Write>();
  /** What was written on which version, so that it is not written again before the watch has brought it back. */
  readonly #written = new Map<string, string>();

  constructor(options: StatusWriterOptions) {
    this.#options = options;
    const { clock, random, log } = options;
    this.#queue = new Workqueue({
      clock,
      random,
      concurrency: WRITES_AT_ONCE,
      work: (key) => this.#write(key),
      onError: (key, error, attempt) => log.warn({ error, attempt }, `status of ${key} is not written yet`),
    });
  }

  /** Decides all status anew. Returns after how long to decide again though nothing happens. */
  evaluate(inputs: StatusInputs): number | undefined {
    const { clock, startedMs } = this.#options;
    const nowMs = clock.now();
    const moment: StatusMoment = { nowMs, now: timestamp(nowMs), startedMs };
    const writes = [...classWrites(inputs, moment), ...this.#gatewayApiWrites(inputs, moment)];
    const unrouted = unroutedPods([...inputs.translation.world.pods.values()], inputs.proxies, nowMs, startedMs);
    for (const write of [...unrouted.map((pod) => unroutedWrite(pod, moment)), ...writes]) this.#want(write);
    const leaving = [...inputs.translation.world.pods.values()].some(
      ({ metadata }) => metadata.deletionTimestamp != null,
    );
    const away = inputs.proxies.some(({ disconnectedAtMs }) => disconnectedAtMs !== undefined);
    return leaving || away || isStarting(moment) ? LOOK_AGAIN_MS : undefined;
  }

  close(): Promise<void> {
    return this.#queue.close();
  }

  #gatewayApiWrites({ translation, proxies }: StatusInputs, moment: StatusMoment): readonly Write[] {
    const { world, ingress } = translation;
    const census = takeCensus(proxies, moment.nowMs);
    const gateways = ingress.states.flatMap((state) => {
      const status = gatewayStatus(state, ingress, world, proxies, census, moment);
      return changed(gatewayKind, state.gateway, status);
    });
    const routes = world.httpRoutes.flatMap((route) => {
      const parents = routeParents(route, world, census, moment);
      return changed(httpRouteKind, route, { ...route.status, parents });
    });
    const tlsRoutes = world.tlsRoutes.flatMap((route) => {
      const parents = byteRouteParents(route, world, census, moment);
      return changed(tlsRouteKind, route, { ...route.status, parents });
    });
    const tcpRoutes = world.tcpRoutes.flatMap((route) => {
      const parents = byteRouteParents(route, world, census, moment);
      return changed(tcpRouteKind, route, { ...route.status, parents });
    });
    return [...gateways, ...routes, ...tlsRoutes, ...tcpRoutes];
  }

  #want(write: Write): void {
    if (this.#written.get(write.key) === fingerprint(write)) return;
    this.#wanted.set(write.key, write);
    this.#queue.add(write.key);
  }

  async #write(key: string): Promise<undefined> {
    const write = this.#wanted.get(key);
    if (write === undefined) return undefined;
    try {
      await write.send(this.#options.client);
    } catch (error) {
      // Gone meanwhile: there is nothing to say about it any more.
      if (!hasCode(error, 404)) throw error;
    }
    if (this.#written.size > MAX_REMEMBERED) this.#written.clear();
    this.#written.set(key, fingerprint(write));
    if (this.#wanted.get(key) === write) this.#wanted.delete(key);
    return undefined;
  }
}

// Forgetting costs one write too many for each object, nothing else.
const MAX_REMEMBERED = 10_000;

function fingerprint({ resourceVersion, status }: Write): string {
  return `${resourceVersion} ${JSON.stringify(status, (name, value: unknown) => (name === 'lastTransitionTime' ? '' : value))}`;
}

/** A write, unless the object says it already. */
function changed<T extends KubeObject & { readonly status?: unknown }>(
  kind: Kind<T>,
  object: T,
  status: unknown,
): readonly Write[] {
  return isDeepStrictEqual(object.status, status) ? [] : [statusPatch(kind, object, status, 'merge')];
}

function statusPatch<T extends KubeObject>(kind: Kind<T>, object: T, status: unknown, type: PatchType): Write {
  const { namespace, name, resourceVersion } = object.metadata;
  const ref = namespace === undefined ? { name } : { namespace, name };
  return {
    key: `${kind.kind} ${namespace ?? ''}/${name}`,
    status,
    resourceVersion,
    send: (client) => client.patch(kind, ref, { status }, { type, subresource: 'status' }),
  };
}

function classWrites({ classes }: StatusInputs, moment: StatusMoment): readonly Write[] {
  return classes
    .filter(({ spec }) => spec.controllerName === GATEWAY_CONTROLLER)
    .flatMap((gatewayClass) => {
      const accepted = {
        type: 'Accepted',
        status: 'True',
        reason: 'Accepted',
        message: 'Tutti serves this class',
      } as const;
      const conditions = withConditions(gatewayClass.status?.conditions, [accepted], gatewayClass, moment);
      return changed(gatewayClassKind, gatewayClass, { ...gatewayClass.status, conditions });
    });
}

function unroutedWrite(pod: Pod, { now }: StatusMoment): Write {
  const condition = { type: UNROUTED, status: 'True', lastTransitionTime: now, reason: 'NoProxyRoutes', message: '' };
  const message = 'No proxy sends requests to the pod any more';
  return statusPatch(podKind, pod, { conditions: [{ ...condition, message }] }, 'strategic');
}
