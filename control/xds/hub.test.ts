import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Pod } from '../../api/kinds/pod.ts';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { Hub, type Link, type Stream } from './hub.ts';
import type { SessionResponse } from './session.ts';
import { pod, service, slice, worldObjects } from './test-support/objects.ts';
import { Memo } from './translate/memo.ts';
import { type Translation, translate } from './translate/translation.ts';

const memo = new Memo();

function translation(pods: readonly Pod[], ready: readonly Pod[]): Translation {
  const made = translate(
    worldObjects({ pods, services: [service('web')], endpointSlices: [slice('web', ready)] }),
    'tutti.local',
    memo,
  );
  memo.sweep();
  return made;
}

interface Peer {
  readonly stream: Stream & { congested: boolean };
  readonly sent: SessionResponse[];
}

function peer({ metadata }: Pod, mode: 'sidecar' | 'grpc' = 'sidecar'): Peer {
  const sent: SessionResponse[] = [];
  const stream = {
    nodeId: `${mode}/default/${metadata.name}`,
    spiffeId: 'spiffe://tutti.local/ns/default/sa/default',
    version: 'test',
    variant: 'sotw' as const,
    features: { timeToLive: false },
    congested: false,
    send: (response: SessionResponse) => void sent.push(response),
    refuse: (reason: string) => assert.fail(reason),
  };
  return { stream, sent };
}

function subscribe(link: Link): void {
  link.request({ variant: 'sotw', kind: 'cluster', names: ['*'], nonce: '', error: undefined });
}

/** Lets the hub work until nothing more comes; bounded. */
async function settle(peers: readonly Peer[]): Promise<void> {
  let before = -1;
  for (let turns = 0; turns < 10_000; turns++) {
    const now = peers.reduce((sum, { sent }) => sum + sent.length, 0);
    if (now === before && turns % 50 === 0) return;
    before = now;
    await turn();
  }
}

function hub(): Hub {
  return new Hub({ clock: systemClock(), log: silentLog(), onProgress: () => {} });
}

test('a peer that does not read is sent nothing more until it does, and then the newest state once', async () => {
  const pods = Array.from({ length: 20 }, (_, at) => pod(`web-${at}`, { at: at + 2 }));
  const [first] = pods as [Pod];
  const it = hub();
  it.setTranslation(translation(pods, pods.slice(0, 1)), 0);
  const slow = peer(first);
  const link = it.open(slow.stream);
  assert.ok(link);
  subscribe(link);
  link.request({ variant: 'sotw', kind: 'endpoints', names: ['service/default/web/80'], nonce: '', error: undefined });
  await settle([slow]);
  for (const { kind, nonce } of slow.sent.slice()) {
    const names = kind === 'cluster' ? ['*'] : ['service/default/web/80'];
    link.request({ variant: 'sotw', kind, names, nonce, error: undefined });
  }
  await settle([slow]);
  const before = slow.sent.length;
  slow.stream.congested = true;
  for (let ready = 2; ready <= pods.length; ready++) {
    it.setTranslation(translation(pods, pods.slice(0, ready)), 0);
    await settle([slow]);
  }
  assert.equal(slow.sent.length, before, 'nothing waits in a queue of ours');
  slow.stream.congested = false;
  link.drained();
  await settle([slow]);
  const late = slow.sent.slice(before);
  assert.deepEqual(
    late.map(({ kind }) => kind),
    ['endpoints'],
  );
  assert.equal(
    late[0]?.resources[0],
    it.translation?.sidecar('default', 'web-0')?.endpoints.get('service/default/web/80'),
  );
});

test('a thousand proxies that come at once are each sent their clusters, and the event loop is given turns meanwhile', async () => {
  const pods = Array.from({ length: 1000 }, (_, at) => pod(`web-${at}`, { at: (at % 250) + 2 }));
  const it = hub();
  it.setTranslation(translation(pods, pods.slice(0, 3)), 0);
  const peers = pods.map((each) => peer(each));
  for (const { stream } of peers) {
    const link = it.open(stream);
    assert.ok(link);
    subscribe(link);
  }
  let turns = 0;
  for (; turns < 100_000 && !peers.every(({ sent }) => sent.length > 0); turns++) await turn();
  assert.ok(peers.every(({ sent }) => sent.length === 1 && sent[0]?.kind === 'cluster'));
  // Slices of 10 ms: whatever a proxy costs, others of this process had their turn in between.
  assert.ok(turns > 1, `${turns} turns`);
  assert.equal(
    new Set(peers.map(({ sent }) => sent[0]?.resources[0])).size,
    1,
    'what is the same is one object for all',
  );
});

test('a hub is busy while most of its proxies have not answered; one that never does, or leaves, holds up nobody', async () => {
  const pods = Array.from({ length: 3 }, (_, at) => pod(`web-${at}`, { at: at + 2 }));
  const it = hub();
  it.setTranslation(translation(pods, pods), 0);
  const peers = pods.map((each) => peer(each));
  const links = peers.map(({ stream }) => it.open(stream));
  for (const link of links) if (link !== undefined) subscribe(link);
  await settle(peers);
  const answer = (at: number): void => {
    const nonce = peers[at]?.sent.at(-1)?.nonce ?? '';
    links[at]?.request({ variant: 'sotw', kind: 'cluster', names: ['*'], nonce, error: at === 1 ? 'no' : undefined });
  };
  assert.ok(it.busy, 'nobody has answered');
  answer(0);
  await settle(peers);
  assert.ok(it.busy, 'one of three has');
  answer(1);
  await settle(peers);
  assert.ok(!it.busy, 'two have, one of them with a NACK');
  links[0]?.close();
  links[1]?.close();
  assert.ok(it.busy, 'the only one that is left has not');
  links[2]?.close();
  assert.ok(!it.busy);
});

test('each gRPC client of a pod is a proxy, beside its sidecar, as long as it is there; load goes to the newest', async () => {
  const it = hub();
  const web = pod('web-0');
  it.setTranslation(translation([web], [web]), 0);
  const peers = [peer(web), peer(web, 'grpc'), peer(web, 'grpc')];
  const links = peers.map(({ stream }) => it.open(stream));
  for (const link of links)
    link?.request({ variant: 'sotw', kind: 'listener', names: ['a'], nonce: '', error: undefined });
  await settle(peers);
  const names = (): readonly string[] => it.listProxies().map(({ metadata }) => metadata.name);
  assert.deepEqual(names(), ['web-0', 'web-0.grpc.2', 'web-0.grpc.3']);
  assert.deepEqual(
    it.listProxies().map(({ spec }) => [spec.mode, spec.podName]),
    [
      ['sidecar', 'web-0'],
      ['grpc', 'web-0'],
      ['grpc', 'web-0'],
    ],
  );
  assert.equal(it.record('grpc/default/web-0')?.nodeId, 'grpc/default/web-0#3');
  links[2]?.close();
  assert.deepEqual(names(), ['web-0', 'web-0.grpc.2']);
  assert.equal(it.record('grpc/default/web-0')?.nodeId, 'grpc/default/web-0#2');
  // It may still run on what it was told, for a moment: what leaves waits for it.
  assert.equal(it.views().length, 3);
});

test("a proxy's load is current when it has reported since it accepted its newest routes, whatever it reported while they were under way", async () => {
  const it = hub();
  const web = pod('web-0');
  it.setTranslation(translation([web], [web]), 0);
  const proxy = peer(web);
  const link = it.open(proxy.stream);
  assert.ok(link);
  const names = {
    cluster: ['*'],
    endpoints: ['service/default/web/80'],
    listener: ['*'],
    route: ['outbound'],
  } as const;
  const acked = new Set<string>();
  const ackAll = async (except?: string): Promise<void> => {
    for (let turns = 0; turns < 10; turns++) {
      await settle([proxy]);
      for (const { kind, nonce } of proxy.sent) {
        if (kind === except || acked.has(`${kind} ${nonce}`)) continue;
        acked.add(`${kind} ${nonce}`);
        link.request({ variant: 'sotw', kind, names: names[kind], nonce, error: undefined });
      }
    }
  };
  const isCurrent = (): boolean | undefined => it.listProxies()[0]?.status.loadCurrent;
  const report = (): void => it.record('sidecar/default/web-0')?.loadReported();
  subscribe(link);
  await ackAll();
  assert.equal(isCurrent(), true, 'it has no routes');
  for (const kind of ['endpoints', 'listener', 'route'] as const)
    link.request({ variant: 'sotw', kind, names: names[kind], nonce: '', error: undefined });
  assert.equal(isCurrent(), false, 'it has asked for some');
  await ackAll('route');
  assert.ok(proxy.sent.some(({ kind }) => kind === 'route'));
  report();
  assert.equal(isCurrent(), false, 'its routes are under way');
  await ackAll();
  assert.equal(isCurrent(), false, 'it has not reported since');
  report();
  assert.equal(isCurrent(), true);
  link.close();
  assert.equal(isCurrent(), false, 'it is away');
});
