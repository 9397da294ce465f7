import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podKind } from './pod.ts';
import { unenforcedFields } from './unenforced.ts';

test('a warning names the path of each unenforced field that is set', () => {
  const table = [
    { path: 'a' },
    { path: 'list[*].b.c', because: 'no way' },
    { path: 'd', unless: ['fine'] },
    { path: 'e' },
  ];
  const object = { a: 1, list: [{ b: { c: 1 } }, { b: {} }, { b: { c: 2 } }], d: 'fine', e: {} };
  assert.deepEqual(unenforcedFields(object, 'spec', table), [
    'spec.a: not enforced yet by Tutti',
    'spec.list[0].b.c: not enforced yet by Tutti (no way)',
    'spec.list[2].b.c: not enforced yet by Tutti (no way)',
  ]);
});

test('an ordinary Pod, defaults and all, is free of warnings', () => {
  const pod = podKind.schema.parse({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      serviceAccountName: 'web',
      containers: [
        {
          name: 'app',
          image: 'x:1',
          ports: [{ containerPort: 80, name: 'http' }],
          env: [{ name: 'A', value: 'b' }],
          resources: { requests: { cpu: '100m' } },
          readinessProbe: { httpGet: { port: 'http' } },
          volumeMounts: [{ name: 'config', mountPath: '/etc/app' }],
        },
      ],
      volumes: [{ name: 'config', configMap: { name: 'c' } }],
    },
  });
  assert.deepEqual(podKind.warnings(pod), []);
  const said = { ...pod, metadata: { ...pod.metadata, annotations: { 'tutti.dev/concurrency': 'many' } } };
  assert.match(
    podKind.warnings(said).join(),
    /^metadata\.annotations\[tutti\.dev\/concurrency\]: "many": wanted "auto"/,
  );
  assert.deepEqual(podKind.validate(pod, undefined), []);
});
