import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Node } from '../../api/kinds/node.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import { seededRandom } from '../../kit/random.ts';
import { node, pod, replicaSet } from '../controllers/testing/objects.ts';
import { ClusterView, toPlace } from './cluster-view.ts';
import { decidePlacement } from './decide.ts';
import { podRequests } from './resources.ts';
import { balancedAllocation } from './scores/balanced-allocation.ts';
import { leastAllocated } from './scores/least-allocated.ts';
import { spread } from './scores/spread.ts';
import { candidate } from './testing/candidates.ts';

const asking = (name: string, requests: Record<string, string>, said: Parameters<typeof pod>[1] = {}): Pod =>
  pod(name, { ...said, spec: { containers: [{ name: 'app', image: 'x', resources: { requests } }] } });
const sized = (name: string, allocatable: Record<string, string>): Node => node(name, { status: { allocatable } });

const anyNode = fc.record({
  cpu: fc.integer({ min: 0, max: 8000 }),
  memory: fc.integer({ min: 0, max: 64 }),
  pods: fc.integer({ min: 0, max: 8 }),
  cordoned: fc.boolean(),
});
const anyPod = fc.record({
  cpu: fc.integer({ min: 0, max: 3000 }),
  memory: fc.integer({ min: 0, max: 16 }),
  ends: fc.boolean(),
  fails: fc.boolean(),
});

test('nothing is ever bound beyond capacity, nor to a cordoned node, and a pod waits only when no node fits', () => {
  fc.assert(
    fc.property(
      fc.array(anyNode, { maxLength: 6 }),
      fc.array(anyPod, { maxLength: 40 }),
      fc.nat(),
      (nodes, pods, seed) => {
        const view = new ClusterView();
        const random = seededRandom(seed);
        const free = nodes.map(({ cpu, memory, pods: count }) => ({ cpu, memory, pods: count }));
        for (const [index, { cpu, memory, pods: count, cordoned }] of nodes.entries()) {
          const allocatable = { cpu: `${cpu}m`, memory: `${memory}Gi`, pods: String(count) };
          view.setNode(node(`n${index}`, { spec: { unschedulable: cordoned }, status: { allocatable } }));
        }
        for (const [index, { cpu, memory, ends, fails }] of pods.entries()) {
          const placed = toPlace(asking(`p${index}`, { cpu: `${cpu}m`, memory: `${memory}Gi` }));
          const placement = decidePlacement(placed, view.candidates(), random);
          const fits = (at: number): boolean => {
            const room = free[at];
            return (
              room !== undefined && !nodes[at]?.cordoned && room.cpu >= cpu && room.memory >= memory && room.pods >= 1
            );
          };
          if (placement.type === 'unschedulable') {
            assert.ok(
              nodes.every((_, at) => !fits(at)),
              placement.message,
            );
            continue;
          }
          const at = Number(placement.node.slice(1));
          assert.ok(fits(at), placement.node);
          view.assume(placed, placement.node);
          const room = free[at];
          assert.ok(room !== undefined);
          if (fails) {
            view.forget(placed);
            continue;
          }
          const bound = { ...placed.pod, spec: { ...placed.pod.spec, nodeName: placement.node } };
          view.setPod(bound);
          if (ends) view.setPod({ ...bound, status: { ...bound.status, phase: 'Succeeded' } });
          else Object.assign(room, { cpu: room.cpu - cpu, memory: room.memory - memory, pods: room.pods - 1 });
        }
      },
    ),
  );
});

test('the same seed gives the same placements', () => {
  const place = (seed: number): string[] => {
    const view = new ClusterView();
    const random = seededRandom(seed);
    for (let index = 0; index < 5; index++) view.setNode(node(`n${index}`));
    return Array.from({ length: 20 }, (_, index) => {
      const placed = toPlace(pod(`p${index}`));
      const placement = decidePlacement(placed, view.candidates(), random);
      assert.ok(placement.type === 'bind');
      view.assume(placed, placement.node);
      return placement.node;
    });
  };
  assert.deepEqual(place(3), place(3));
  assert.notDeepEqual(place(3), place(4));
});

const refused: readonly [nodes: Node[], message: string][] = [
  [[], 'no nodes available to schedule pods'],
  [
    [
      sized('a', { cpu: '1', memory: '8Gi' }),
      node('b', { spec: { unschedulable: true } }),
      node('c', { spec: { unschedulable: true } }),
    ],
    '0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.',
  ],
  [
    [sized('a', { cpu: '1', memory: '1Gi' }), sized('b', { cpu: '1', memory: '8Gi' })],
    '0/2 nodes are available: 1 Insufficient memory, 2 Insufficient cpu.',
  ],
];
for (const [nodes, message] of refused) {
  test(`a pod that does not fit is told: ${message}`, () => {
    const placed = toPlace(asking('p', { cpu: '2', memory: '2Gi' }));
    const placement = decidePlacement(
      placed,
      nodes.map((each) => candidate(each)),
      seededRandom(1),
    );
    assert.equal(placement.type === 'unschedulable' && placement.message, message);
    assert.deepEqual(
      placement.refusals.map((refusal) => refusal.node),
      nodes.map(({ metadata }) => metadata.name),
    );
  });
}

test('the pods of one ReplicaSet go to different nodes first, whatever else runs there', () => {
  const owner = replicaSet('web');
  const view = new ClusterView();
  for (const name of ['a', 'b', 'c']) view.setNode(node(name));
  view.setPod(asking('other', { cpu: '1' }, { node: 'c' }));
  const nodes = ['p1', 'p2', 'p3'].map((name) => {
    const placed = toPlace(pod(name, { owner }));
    const placement = decidePlacement(placed, view.candidates(), seededRandom(1));
    assert.ok(placement.type === 'bind');
    view.assume(placed, placement.node);
    return placement.node;
  });
  assert.deepEqual(nodes.sort(), ['a', 'b', 'c']);
});

test('scores: the emptier, the more balanced and the less crowded node is better', () => {
  const empty = candidate(sized('empty', { cpu: '4', memory: '4Gi' }));
  const half = candidate(sized('half', { cpu: '4', memory: '4Gi' }), [
    asking('x', { cpu: '2', memory: '2Gi' }, { node: 'half' }),
  ]);
  const lopsided = candidate(sized('lopsided', { cpu: '4', memory: '4Gi' }), [
    asking('x', { cpu: '3', memory: '1' }, { node: 'lopsided' }),
  ]);
  const wanting = toPlace(asking('p', { cpu: '1', memory: '1Gi' }));
  assert.deepEqual(leastAllocated.rate(wanting, [empty, half]), [75, 25]);
  const [balanced = 0, unbalanced = 0] = balancedAllocation.rate(wanting, [half, lopsided]);
  assert.equal(balanced, 100);
  assert.ok(Math.abs(unbalanced - 62.5) < 0.01);
  const owner = replicaSet('web');
  const crowded = (count: number) =>
    candidate(
      node('n'),
      Array.from({ length: count }, (_, index) => pod(`w${index}`, { owner, node: 'n' })),
    );
  assert.deepEqual(spread.rate(toPlace(pod('p', { owner })), [crowded(0), crowded(1), crowded(4)]), [100, 75, 0]);
  assert.deepEqual(spread.rate(toPlace(pod('p')), [crowded(4), crowded(0)]), [100, 100]);
});

test('a pod needs its containers and sidecars together, or its largest init container, whichever is more', () => {
  const container = (name: string, cpu: string, said: object = {}) => ({
    name,
    image: 'x',
    resources: { requests: { cpu } },
    ...said,
  });
  const initContainers = [
    container('first', '900m'),
    container('side', '200m', { restartPolicy: 'Always' }),
    container('last', '500m'),
  ];
  const needs = (containers: object[]): number | undefined =>
    podRequests(pod('p', { spec: { initContainers, containers, overhead: { cpu: '50m' } } })).get('cpu');
  assert.equal(needs([container('a', '100m'), container('b', '100m')]), 950);
  assert.equal(needs([container('a', '500m'), container('b', '500m')]), 1250);
});

test('a pod takes its room until it is gone or has ended, also when its node is not known', () => {
  const view = new ClusterView();
  const bound = asking('p', { cpu: '3' }, { node: 'n' });
  view.setPod(bound);
  view.setNode(node('n'));
  const placed = toPlace(asking('q', { cpu: '2' }));
  assert.equal(decidePlacement(placed, view.candidates(), seededRandom(1)).type, 'unschedulable');
  view.removeNode(node('n'));
  assert.deepEqual(view.candidates(), []);
  view.setNode(node('n'));
  assert.equal(decidePlacement(placed, view.candidates(), seededRandom(1)).type, 'unschedulable');
  view.removePod(bound);
  assert.equal(decidePlacement(placed, view.candidates(), seededRandom(1)).type, 'bind');
});
