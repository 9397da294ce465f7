import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Draft } from '../../../api/client/client.ts';
import { type EndpointSlice, endpointSliceKind } from '../../../api/kinds/endpoint-slice.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import type { Service } from '../../../api/kinds/service.ts';
import { LONG_AGO, type PodSaid, pod, service, stored } from '../testing/objects.ts';
import { decideEndpointSlices, type EndpointSlicePlan, MAX_ENDPOINTS_PER_SLICE } from './decide.ts';

const NAMED = [{ name: 'app', image: 'x', ports: [{ name: 'http', containerPort: 8080 }] }];

function endpointPod(name: string, said: PodSaid = {}): Pod {
  const made = pod(name, { node: 'n1', readySince: LONG_AGO, ...said });
  const ip = `127.64.0.${Number(name.replace(/\D/g, '')) % 250}`;
  return { ...made, status: { ...made.status, podIP: ip, podIPs: [{ ip }], ...said.status } };
}

function decide(of: Service, pods: readonly Pod[], slices: readonly EndpointSlice[] = []): EndpointSlicePlan {
  return decideEndpointSlices({
    service: of,
    pods,
    slices,
    zoneOf: (node) => (node === 'n1' ? 'zone-a' : undefined),
    nameOf: (index) => `${of.metadata.name}-${index}`,
  });
}

/** The slices after the plan is carried out. */
function carriedOut(plan: EndpointSlicePlan, before: readonly EndpointSlice[]): EndpointSlice[] {
  const kept = before.filter((slice) => !plan.deletes.includes(slice));
  const updated = kept.map(
    (slice) => plan.updates.find(({ metadata }) => metadata.uid === slice.metadata.uid) ?? slice,
  );
  return [...updated, ...plan.creates.map(storedSlice)];
}

function storedSlice({ metadata, ...rest }: Draft<EndpointSlice>): EndpointSlice {
  return stored(endpointSliceKind, metadata.name ?? '', { metadata, ...rest });
}

test('a ready pod is an endpoint with address, node, zone and reference; the slice names its Service and its owner', () => {
  const web = service('web');
  const [draft] = decide(web, [endpointPod('p1')]).creates;
  assert.deepEqual(draft?.endpoints, [
    {
      addresses: ['127.64.0.1'],
      conditions: { ready: true, serving: true, terminating: false },
      targetRef: { kind: 'Pod', namespace: 'default', name: 'p1', uid: 'uid-p1' },
      nodeName: 'n1',
      zone: 'zone-a',
    },
  ]);
  assert.deepEqual(draft?.ports, [{ name: '', protocol: 'TCP', port: 80 }]);
  assert.equal(draft?.addressType, 'IPv4');
  assert.deepEqual(draft?.metadata.labels, {
    'kubernetes.io/service-name': 'web',
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
  });
  assert.equal(draft?.metadata.ownerReferences?.[0]?.uid, web.metadata.uid);
});

const leaving = { metadata: { deletionTimestamp: LONG_AGO } };
const notReady = { status: { phase: 'Running', conditions: [] } };
const conditions: readonly [name: string, publish: boolean, pod: PodSaid, expected: [boolean, boolean, boolean]][] = [
  ['ready', false, {}, [true, true, false]],
  ['not ready', false, notReady, [false, false, false]],
  ['terminating and still serving', false, leaving, [false, true, true]],
  ['terminating and not serving', false, { ...leaving, ...notReady }, [false, false, true]],
  ['not ready, of a Service that publishes all', true, notReady, [true, false, false]],
  ['terminating, of a Service that publishes all', true, leaving, [true, true, true]],
];
for (const [name, publishNotReadyAddresses, said, expected] of conditions) {
  test(`a pod that is ${name} has ready, serving and terminating ${expected.join(', ')}`, () => {
    const web = service('web', { spec: { publishNotReadyAddresses } });
    const [endpoint] = decide(web, [endpointPod('p1', said)]).creates[0]?.endpoints ?? [];
    const { ready, serving, terminating } = endpoint?.conditions ?? {};
    assert.deepEqual([ready, serving, terminating], expected);
  });
}

test('a pod without an address, or one that has ended, is no endpoint; a Service without any has one empty slice', () => {
  const ended = endpointPod('p2', { status: { phase: 'Succeeded' } });
  const plan = decide(service('web'), [pod('p1'), ended]);
  assert.deepEqual(
    plan.creates.map(({ endpoints }) => endpoints),
    [[]],
  );
});

test('a target port is found by number, by name and protocol, and in sidecars; pods that differ get slices of their own', () => {
  const web = service('web', { spec: { ports: [{ name: 'web', port: 80, targetPort: 'http', appProtocol: 'http' }] } });
  const sidecar = [
    { name: 'side', image: 'x', restartPolicy: 'Always', ports: [{ name: 'http', containerPort: 9090 }] },
  ];
  const bySidecar = endpointPod('p2', { spec: { initContainers: sidecar } });
  const udp = [{ name: 'app', image: 'x', ports: [{ name: 'http', containerPort: 1, protocol: 'UDP' }] }];
  const plan = decide(web, [
    endpointPod('p1', { spec: { containers: NAMED } }),
    bySidecar,
    endpointPod('p3', { spec: { containers: udp } }),
  ]);
  const ports = plan.creates.map((slice) => [slice.ports[0]?.port, slice.endpoints[0]?.targetRef?.name]);
  assert.deepEqual(ports, [
    [8080, 'p1'],
    [9090, 'p2'],
    [undefined, 'p3'],
  ]);
  assert.equal(plan.creates[0]?.ports[0]?.appProtocol, 'http');
});

test('a headless Service says so, and a pod with a host name under it has that name', () => {
  const web = service('web', { spec: { clusterIP: 'None' } });
  const [draft] = decide(web, [endpointPod('p1', { spec: { hostname: 'first', subdomain: 'web' } })]).creates;
  assert.equal(draft?.metadata.labels?.['service.kubernetes.io/headless'], '');
  assert.equal(draft?.endpoints[0]?.hostname, 'first');
});

test('nothing is written when nothing changed, and a change touches only its own slice', () => {
  const web = service('web');
  const pods = Array.from({ length: 150 }, (_, index) => endpointPod(`p${index}`));
  const first = carriedOut(decide(web, pods), []);
  assert.deepEqual(
    first.map(({ endpoints }) => endpoints.length),
    [100, 50],
  );
  const again = decide(web, pods, first);
  assert.deepEqual([again.creates, again.updates, again.deletes], [[], [], []]);
  const changed = pods.map((each, index) => (index === 3 ? endpointPod('p3', leaving) : each));
  const plan = decide(web, changed, first);
  assert.deepEqual([plan.creates.length, plan.updates.length, plan.deletes.length], [0, 1, 0]);
});

test('after any sequence of changes the slices hold every endpoint exactly once, a hundred at most in each', () => {
  const rounds = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 320 }), { maxLength: 320 }), { maxLength: 5 });
  fc.assert(
    fc.property(rounds, fc.boolean(), (numbers, isNamed) => {
      const web = service('web', { spec: { ports: [{ port: 80, ...(isNamed ? { targetPort: 'http' } : {}) }] } });
      let slices: EndpointSlice[] = [];
      for (const round of numbers) {
        const pods = round.map((number) =>
          endpointPod(`p${number}`, number % 3 === 0 ? { spec: { containers: NAMED } } : {}),
        );
        slices = carriedOut(decide(web, pods, slices), slices);
        const names = slices.flatMap(({ endpoints }) => endpoints.map(({ targetRef }) => targetRef?.name ?? ''));
        assert.deepEqual(names.sort(), pods.map(({ metadata }) => metadata.name).sort());
        assert.ok(slices.length >= 1 && slices.every(({ endpoints }) => endpoints.length <= MAX_ENDPOINTS_PER_SLICE));
        assert.equal(new Set(slices.map(({ metadata }) => metadata.name)).size, slices.length);
        const settled = decide(web, pods, slices);
        assert.deepEqual([settled.creates, settled.updates, settled.deletes], [[], [], []]);
      }
    }),
    { numRuns: 30 },
  );
});

test('an ExternalName Service has no slices, and loses those that it had', () => {
  const before = carriedOut(decide(service('web'), [endpointPod('p1')]), []);
  const plan = decide(service('web', { spec: { type: 'ExternalName', externalName: 'x.example' } }), [], before);
  assert.deepEqual([plan.creates.length, plan.deletes.length], [0, 1]);
});
