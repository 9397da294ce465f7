import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InformerHandlers } from '../../api/client/informer.ts';
import type { EndpointSlice } from '../../api/kinds/endpoint-slice.ts';
import type { Service } from '../../api/kinds/service.ts';
import { FakeClock } from '../../kit/fake-clock.ts';
import { service, slice } from '../testing/sample-cluster.ts';
import { followCluster } from './follow-cluster.ts';
import { RCODE, TYPE } from './wire/codes.ts';
import type { Zone } from './zone.ts';
import { answerFrom } from './zone-answer.ts';

/** An informer that the test holds the server's end of. */
class HeldInformer<T> {
  readonly #synced = Promise.withResolvers<void>();
  readonly #handlers = new Set<InformerHandlers<T>>();
  readonly synced = this.#synced.promise;
  readonly #objects: T[] = [];

  list(): readonly T[] {
    return this.#objects;
  }

  subscribe(handlers: InformerHandlers<T>): () => void {
    this.#handlers.add(handlers);
    return () => void this.#handlers.delete(handlers);
  }

  add(object: T): void {
    this.#objects.push(object);
    for (const { onAdd } of this.#handlers) onAdd?.(object);
  }

  async sync(): Promise<void> {
    this.#synced.resolve();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function held(): { services: HeldInformer<Service>; slices: HeldInformer<EndpointSlice> } {
  return { services: new HeldInformer<Service>(), slices: new HeldInformer<EndpointSlice>() };
}

const ask = (zone: Zone, name: string): number | undefined =>
  answerFrom(zone, { name: `${name}.default.svc.cluster.local`, type: TYPE.A })?.rcode;

test('before both lists are there no name is denied; after, one that is missing is', async () => {
  const { services, slices } = held();
  const { zone } = followCluster({ services, slices, serverAddress: '127.0.0.1', clock: new FakeClock() });
  assert.equal(ask(zone(), 'web'), RCODE.SERVFAIL);
  await services.sync();
  assert.equal(ask(zone(), 'web'), RCODE.SERVFAIL);
  await slices.sync();
  assert.equal(ask(zone(), 'web'), RCODE.NXDOMAIN);
});

test('a change is in the next zone, with a higher serial; without one the zone is the same object', async () => {
  const { services, slices } = held();
  const { zone, stop } = followCluster({ services, slices, serverAddress: '127.0.0.1', clock: new FakeClock() });
  await services.sync();
  await slices.sync();
  const first = zone();
  assert.equal(zone(), first);
  services.add(service('web', { clusterIP: 'None', ports: [{ port: 80 }] }));
  slices.add(slice('web', { name: 'web-1', endpoints: [{ addresses: ['127.64.0.1'] }] }));
  const second = zone();
  assert.equal(ask(second, 'web'), RCODE.NOERROR);
  assert.ok(serialOf(second) > serialOf(first));
  stop();
  services.add(service('late', { clusterIP: '127.96.0.1', ports: [{ port: 80 }] }));
  assert.equal(zone(), second);
});

function serialOf({ authorities }: Zone): number {
  const data = authorities[0]?.soa.data;
  return data?.type === 'SOA' ? data.serial : 0;
}
