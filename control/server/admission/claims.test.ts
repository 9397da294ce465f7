import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Draft } from '../../../api/client/client.ts';
import { type Node, nodeKind } from '../../../api/kinds/node.ts';
import { podKind } from '../../../api/kinds/pod.ts';
import { type Service, serviceKind } from '../../../api/kinds/service.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { OUTBOUND_PORTS } from '../../../api/meta/well-known.ts';
import { podDraft, serviceDraft } from '../testing/drafts.ts';
import { verbBench } from '../testing/verb-bench.ts';
import { outboundPortsOf } from './claims.ts';

function refusedWith(code: number, words: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof ApiError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, words);
    return true;
  };
}

const ref = (name: string) => ({ namespace: 'default', name });
const nodeDraft = (name: string) => ({ metadata: { name } }) as unknown as Draft<Node>;

test('Services made at once all get addresses and ports of their own', async () => {
  const { client } = await verbBench();
  const made = await Promise.all(
    Array.from({ length: 30 }, (_, index) =>
      client.create(
        serviceKind,
        serviceDraft(`s${index}`, {
          ports: [
            { name: 'http', port: 80 },
            { name: 'admin', port: 81 },
          ] as Service['spec']['ports'],
        }),
      ),
    ),
  );
  assert.equal(new Set(made.map(({ spec }) => spec.clusterIP)).size, 30);
  const ports = made.flatMap((service) => Object.values(outboundPortsOf(service)));
  assert.equal(new Set(ports).size, 60);
  for (const { spec } of made) assert.match(spec.clusterIP ?? '', /^127\.(9[6-9]|10\d|11[01])\./);
});

test('two servers over one store give out nothing twice', async () => {
  const one = await verbBench();
  // The same seed: both try the same addresses in the same order, so that they do meet.
  const two = await verbBench({ store: one.store });
  const made = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? one : two).client.create(serviceKind, serviceDraft(`s${index}`)),
    ),
  );
  assert.equal(new Set(made.map(({ spec }) => spec.clusterIP)).size, 20);
  assert.equal(new Set(made.flatMap((service) => Object.values(outboundPortsOf(service)))).size, 20);
});

test('an address can be asked for, once, and only within the range', async () => {
  const { client } = await verbBench();
  const asked = await client.create(serviceKind, serviceDraft('a', { clusterIP: '127.100.1.2' }));
  assert.deepEqual([asked.spec.clusterIP, asked.spec.clusterIPs], ['127.100.1.2', ['127.100.1.2']]);
  await assert.rejects(
    client.create(serviceKind, serviceDraft('b', { clusterIP: '127.100.1.2' })),
    refusedWith(422, /already allocated/),
  );
  await assert.rejects(
    client.create(serviceKind, serviceDraft('c', { clusterIP: '10.0.0.1' })),
    refusedWith(422, /not in the valid range/),
  );
});

test('what a deleted Service had is free again', async () => {
  const { client, store } = await verbBench();
  const service = await client.create(serviceKind, serviceDraft('a', { clusterIP: '127.100.1.2' }));
  assert.equal((await store.list('/claims/')).entries.length, 2);
  await client.delete(serviceKind, ref('a'));
  assert.equal((await store.list('/claims/')).entries.length, 0);
  const again = await client.create(serviceKind, serviceDraft('b', { clusterIP: service.spec.clusterIP ?? '' }));
  assert.equal(again.spec.clusterIP, '127.100.1.2');
});

test('headless and ExternalName Services get neither address nor ports', async () => {
  const { client, store } = await verbBench();
  const headless = await client.create(serviceKind, serviceDraft('a', { clusterIP: 'None' }));
  const external = await client.create(
    serviceKind,
    serviceDraft('b', { type: 'ExternalName', externalName: 'x.example' }),
  );
  assert.deepEqual([headless.spec.clusterIP, external.spec.clusterIP], ['None', undefined]);
  assert.equal(headless.metadata.annotations?.[OUTBOUND_PORTS], undefined);
  assert.equal((await store.list('/claims/')).entries.length, 0);
});

test('an update keeps what was given, whatever it says, and gives only what is new', async () => {
  const { client, store } = await verbBench();
  const first = await client.create(serviceKind, serviceDraft('a'));
  const { http } = outboundPortsOf(first);
  const { clusterIP: _ip, clusterIPs: _ips, ...spec } = first.spec;
  const ports = [...(spec.ports ?? []), { name: 'admin', port: 81, protocol: 'TCP' as const, targetPort: 81 }];
  const annotations = { [OUTBOUND_PORTS]: '{"http":20001}' };
  const second = await client.update(serviceKind, {
    ...first,
    metadata: { ...first.metadata, annotations },
    spec: { ...spec, ports },
  });
  assert.equal(second.spec.clusterIP, first.spec.clusterIP);
  const given = outboundPortsOf(second);
  assert.equal(given['http'], http);
  assert.ok((given['admin'] ?? 0) >= 20_000);
  const third = await client.update(serviceKind, { ...second, spec: { ...second.spec, ports: ports.slice(1) } });
  assert.deepEqual(Object.keys(outboundPortsOf(third)), ['admin']);
  assert.equal((await store.list('/claims/outbound-ports/')).entries.length, 1);
});

test('a Service that becomes ExternalName gives its address back', async () => {
  const { client, store } = await verbBench();
  const first = await client.create(serviceKind, serviceDraft('a'));
  const spec = { ...first.spec, type: 'ExternalName' as const, externalName: 'x.example' };
  const second = await client.update(serviceKind, { ...first, spec });
  assert.equal(second.spec.clusterIP, undefined);
  assert.equal((await store.list('/claims/')).entries.length, 0);
});

test('each node gets a range of pod addresses of its own, and keeps it', async () => {
  const { client } = await verbBench();
  const nodes = await Promise.all(['a', 'b', 'c'].map((name) => client.create(nodeKind, nodeDraft(name))));
  const ranges = nodes.map(({ spec }) => spec.podCIDR);
  assert.equal(new Set(ranges).size, 3);
  for (const range of ranges) assert.match(range ?? '', /^127\.(6[4-9]|7\d)\.\d+\.0\/22$/);
  const [first] = nodes as [Node];
  const updated = await client.update(nodeKind, { ...first, spec: { unschedulable: true } });
  assert.equal(updated.spec.podCIDR, first.spec.podCIDR);
});

test('a pod runs as the default account unless it names one, and has its class of service', async () => {
  const { client } = await verbBench();
  const resources = { limits: { cpu: '1', memory: '64Mi' } };
  const cases: readonly (readonly [string, Parameters<typeof podDraft>[1], string, string])[] = [
    ['plain', {}, 'default', 'BestEffort'],
    ['named', { serviceAccountName: 'shop' }, 'shop', 'BestEffort'],
    ['bounded', { containers: [{ name: 'app', image: 'x', resources }] as never }, 'default', 'Guaranteed'],
    [
      'asking',
      { containers: [{ name: 'app', image: 'x', resources: { requests: { cpu: '100m' } } }] as never },
      'default',
      'Burstable',
    ],
  ];
  for (const [name, spec, account, qosClass] of cases) {
    const pod = await client.create(podKind, podDraft(name, spec));
    assert.deepEqual([pod.spec.serviceAccountName, pod.status.qosClass], [account, qosClass], name);
  }
});
