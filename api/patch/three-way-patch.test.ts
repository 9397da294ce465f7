import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { deploymentKind } from '../kinds/deployment.ts';
import type { JsonObject } from './json.ts';
import { patchSchemaOf } from './patch-schema.ts';
import { applyStrategicMergePatch } from './strategic-merge-patch.ts';
import { LAST_APPLIED, lastAppliedOf, threeWayStrategicPatch, withLastApplied } from './three-way-patch.ts';

const schema = patchSchemaOf(deploymentKind.schema);

function deployment(spec: object): JsonObject {
  return JSON.parse(
    JSON.stringify({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', labels: { app: 'web' } },
      spec: { selector: { matchLabels: { app: 'web' } }, ...spec },
    }),
  ) as JsonObject;
}

function template(...containers: readonly object[]): object {
  return { template: { metadata: { labels: { app: 'web' } }, spec: { containers } } };
}

/** What the server has after a first apply: defaults filled, status there. */
function live(applied: JsonObject): JsonObject {
  const { data } = deploymentKind.schema.safeParse(applied);
  return JSON.parse(JSON.stringify(data)) as JsonObject;
}

function apply(lastApplied: JsonObject, wanted: JsonObject, present: JsonObject): JsonObject {
  const patch = threeWayStrategicPatch({ lastApplied, wanted, live: present }, schema);
  return applyStrategicMergePatch(present, patch, schema);
}

const app = { name: 'app', image: 'shop/web:v1', env: [{ name: 'A', value: '1' }], ports: [{ containerPort: 80 }] };

test('applying the same manifest again asks for nothing, whatever the server has filled in', () => {
  const manifest = deployment(template(app));
  assert.deepEqual(
    threeWayStrategicPatch({ lastApplied: manifest, wanted: manifest, live: live(manifest) }, schema),
    {},
  );
});

test('what the manifest changes is changed, what others set stays', () => {
  const before = deployment(template(app));
  const present = live(deployment({ replicas: 5, ...template(app) }));
  const result = apply(before, deployment(template({ ...app, image: 'shop/web:v2' })), present) as unknown as {
    spec: { replicas: number; template: { spec: { containers: { image: string; imagePullPolicy: string }[] } } };
  };
  assert.equal(result.spec.replicas, 5);
  assert.equal(result.spec.template.spec.containers[0]?.image, 'shop/web:v2');
  assert.equal(result.spec.template.spec.containers[0]?.imagePullPolicy, 'IfNotPresent');
});

test('what was applied and is no longer in the manifest goes; what others added stays', () => {
  const before = deployment({ replicas: 3, ...template(app, { name: 'side', image: 'side' }) });
  const injected = { name: 'injected', image: 'other' };
  const present = live(deployment({ replicas: 3, ...template(app, { name: 'side', image: 'side' }, injected) }));
  const result = apply(before, deployment(template({ ...app, env: [] })), present) as unknown as {
    spec: { replicas?: number; template: { spec: { containers: { name: string; env?: unknown[] }[] } } };
  };
  assert.equal(result.spec.replicas, undefined);
  assert.deepEqual(
    result.spec.template.spec.containers.map(({ name }) => name),
    ['app', 'injected'],
  );
  assert.deepEqual(result.spec.template.spec.containers[0]?.env, []);
});

test('a change and a deletion within one container arrive together', () => {
  const before = deployment(
    template({
      ...app,
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
    }),
  );
  const wanted = deployment(template({ ...app, image: 'shop/web:v2', env: [{ name: 'B', value: '3' }] }));
  const result = apply(before, wanted, live(before)) as unknown as {
    spec: { template: { spec: { containers: { image: string; env: unknown[] }[] } } };
  };
  assert.equal(result.spec.template.spec.containers[0]?.image, 'shop/web:v2');
  assert.deepEqual(result.spec.template.spec.containers[0]?.env, [{ name: 'B', value: '3' }]);
});

test('from RollingUpdate to Recreate the settings of the old strategy go', () => {
  const before = deployment({ strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } }, ...template(app) });
  const result = apply(
    before,
    deployment({ strategy: { type: 'Recreate' }, ...template(app) }),
    live(before),
  ) as unknown as {
    spec: { strategy: unknown };
  };
  assert.deepEqual(result.spec.strategy, { type: 'Recreate' });
});

test('the annotation holds the object as kubectl writes it, without itself', () => {
  const object = {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: { name: 'a', annotations: { b: 'c', [LAST_APPLIED]: 'old' } },
  };
  const applied = withLastApplied(object) as unknown as { metadata: { annotations: Record<string, string> } };
  const text = applied.metadata.annotations[LAST_APPLIED];
  assert.equal(text, '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"annotations":{"b":"c"},"name":"a"}}\n');
  assert.deepEqual(lastAppliedOf(applied as unknown as JsonObject), JSON.parse(text));
  assert.deepEqual(lastAppliedOf({ metadata: { annotations: { [LAST_APPLIED]: '{broken' } } }), {});
  assert.deepEqual(lastAppliedOf({}), {});
});

test('after an apply everything that the manifest says is so', () => {
  const envs = fc.uniqueArray(
    fc.record({ name: fc.constantFrom('A', 'B', 'C'), value: fc.constantFrom('1', '2') }, { noNullPrototype: true }),
    { selector: ({ name }) => name },
  );
  const container = (name: string): fc.Arbitrary<object> =>
    fc.record({ name: fc.constant(name), image: fc.constantFrom('x', 'y'), env: envs }, { noNullPrototype: true });
  const containers = fc.tuple(container('app'), fc.option(container('side'), { nil: undefined }));
  const manifest = fc
    .tuple(containers, fc.option(fc.nat(5), { nil: undefined }))
    .map(([[first, second], replicas]) =>
      deployment({ replicas, ...template(...(second === undefined ? [first] : [first, second])) }),
    );
  fc.assert(
    fc.property(manifest, manifest, manifest, (lastApplied, wanted, drifted) => {
      const result = apply(lastApplied, wanted, live(drifted));
      const missing = threeWayStrategicPatch({ lastApplied: wanted, wanted, live: result }, schema);
      assert.deepEqual(missing, {});
    }),
  );
});
