import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { seededRandom } from '../../../kit/random.ts';
import { ModelCluster } from '../testing/model-cluster.ts';
import { CONTAINERS, deployment } from '../testing/objects.ts';
import { wanted } from './counts.ts';
import { fenceposts } from './fenceposts.ts';
import { tellGenerations } from './generations.ts';
import { sameTemplate } from './template-hash.ts';

const world = fc.record({
  seed: fc.nat(),
  replicas: fc.integer({ min: 1, max: 8 }),
  maxSurge: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constantFrom('0%', '25%', '50%', '100%')),
  maxUnavailable: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constantFrom('0%', '25%', '50%')),
  minReadySeconds: fc.constantFrom(0, 0, 5),
  steps: fc.integer({ min: 20, max: 250 }),
  rollouts: fc.integer({ min: 1, max: 3 }),
});

type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

/** A Deployment that is all there, in a cluster about to roll. */
function running(
  { seed, replicas, maxSurge, maxUnavailable, minReadySeconds }: World,
  breakages: number,
): ModelCluster {
  const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } };
  const spec = { replicas, strategy, minReadySeconds };
  const defaults = deployment('web');
  const made = deployment('web', { spec: { ...defaults.spec, ...spec } });
  const cluster = new ModelCluster(made, seededRandom(seed), breakages);
  assert.ok(cluster.settle(50), 'the first version comes to rest');
  assert.equal(cluster.available, replicas);
  return cluster;
}

function rollTo(cluster: ModelCluster, version: number): void {
  const { template } = cluster.deployment.spec;
  const containers = CONTAINERS.map((container) => ({ ...container, image: `shop/web:v${version}` }));
  const spec = {
    ...template.spec,
    containers: containers.map((each, at) => ({ ...template.spec.containers[at], ...each })),
  };
  cluster.change({ template: { ...template, spec: spec as typeof template.spec } });
}

/** Rolls through versions, checking after every step, and then to the end. */
function roll(given: World, breakages: number, check: (cluster: ModelCluster) => void): ModelCluster {
  const cluster = running(given, breakages);
  for (let version = 2; version < 2 + given.rollouts; version++) {
    rollTo(cluster, version);
    for (let step = 0; step < given.steps; step++) {
      cluster.step();
      check(cluster);
    }
  }
  return cluster;
}

test('a rolling update never has fewer than desired − maxUnavailable available pods', () => {
  fc.assert(
    fc.property(world, (given) => {
      roll(given, 0, ({ deployment: present, available }) => {
        assert.ok(available >= present.spec.replicas - fenceposts(present).maxUnavailable);
      });
    }),
  );
});

test('pods that break by themselves cost a rolling update those pods and no others', () => {
  fc.assert(
    fc.property(world, (given) => {
      roll(given, 2, ({ deployment: present, available, broken }) => {
        assert.ok(available >= present.spec.replicas - fenceposts(present).maxUnavailable - broken);
      });
    }),
  );
});

test('a rolling update never asks for more than desired + maxSurge pods', () => {
  fc.assert(
    fc.property(world, (given) => {
      roll(given, 2, ({ deployment: present, replicaSets }) => {
        assert.ok(wanted([...replicaSets.values()]) <= present.spec.replicas + fenceposts(present).maxSurge);
      });
    }),
  );
});

test('every rollout comes to its end once pods become ready, and says so', () => {
  fc.assert(
    fc.property(world, (given) => {
      const cluster = roll(given, 2, () => {});
      assert.ok(cluster.settle(200), 'comes to rest');
      const { present, old } = tellGenerations(cluster.deployment, [...cluster.replicaSets.values()]);
      assert.equal(present?.spec.replicas, given.replicas);
      assert.ok(old.every(({ spec }) => spec.replicas === 0));
      assert.equal(cluster.available, given.replicas);
      const { status } = cluster.deployment;
      assert.equal(status.updatedReplicas, given.replicas);
      assert.equal(status.observedGeneration, cluster.deployment.metadata.generation);
      const progressing = status.conditions?.find(({ type }) => type === 'Progressing');
      assert.equal(progressing?.reason, 'NewReplicaSetAvailable');
    }),
  );
});

test('resizing in the middle of a rollout ends at the new size', () => {
  fc.assert(
    fc.property(world, fc.integer({ min: 0, max: 12 }), (given, replicas) => {
      const cluster = roll(given, 0, () => {});
      cluster.change({ replicas });
      for (let step = 0; step < given.steps; step++) cluster.step();
      assert.ok(cluster.settle(200), 'comes to rest');
      assert.equal(cluster.activePods.length, replicas);
      assert.equal(cluster.available, replicas);
    }),
  );
});

test('a Recreate never runs two versions at once', () => {
  fc.assert(
    fc.property(world, (given) => {
      const cluster = running(given, 0);
      const { rollingUpdate: _, ...strategy } = cluster.deployment.spec.strategy;
      cluster.change({ strategy: { ...strategy, type: 'Recreate' } });
      rollTo(cluster, 2);
      for (let step = 0; step < given.steps; step++) {
        cluster.step();
        const versions = new Set([...cluster.pods.values()].map(({ spec }) => spec.containers[0]?.image));
        assert.ok(versions.size <= 1, [...versions].join(' and '));
      }
      assert.ok(cluster.settle(200), 'comes to rest');
      assert.ok(cluster.activePods.every(({ spec }) => spec.containers[0]?.image === 'shop/web:v2'));
    }),
  );
});

test('undo finds the old ReplicaSet by its template and gives it the newest revision', () => {
  const given: World = {
    seed: 1,
    replicas: 3,
    maxSurge: 1,
    maxUnavailable: 0,
    minReadySeconds: 0,
    steps: 0,
    rollouts: 0,
  };
  const cluster = running(given, 0);
  const first = cluster.deployment.spec.template;
  rollTo(cluster, 2);
  assert.ok(cluster.settle(50));
  assert.equal(cluster.replicaSets.size, 2);
  assert.equal(cluster.deployment.metadata.annotations?.['deployment.kubernetes.io/revision'], '2');
  cluster.change({ template: structuredClone(first) });
  assert.ok(cluster.settle(50));
  assert.equal(cluster.replicaSets.size, 2);
  const back = [...cluster.replicaSets.values()].find(({ spec }) => sameTemplate(spec.template, first));
  assert.equal(back?.spec.replicas, 3);
  assert.equal(back.metadata.annotations?.['deployment.kubernetes.io/revision'], '3');
  assert.equal(back.metadata.annotations['deployment.kubernetes.io/revision-history'], '1');
  assert.equal(cluster.deployment.metadata.annotations?.['deployment.kubernetes.io/revision'], '3');
});
