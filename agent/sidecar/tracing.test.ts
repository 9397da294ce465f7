import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podKind } from '../../api/kinds/pod.ts';
import { serviceNameOf } from './tracing.ts';

const OWNED = {
  labels: { 'pod-template-hash': '6d4cf56db6' },
  ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-6d4cf56db6', uid: 'u', controller: true }],
};
const SET = {
  ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'db', uid: 'u', controller: true }],
};

for (const [title, metadata, name] of [
  ['its own, when nothing made it', {}, 'web-1'],
  ['its Deployment’s', OWNED, 'web'],
  ['its StatefulSet’s', SET, 'db'],
  ['what the recommended label says', { ...OWNED, labels: { 'app.kubernetes.io/name': 'shop' } }, 'shop'],
  ['what it says itself', { ...OWNED, annotations: { 'resource.opentelemetry.io/service.name': 'cart' } }, 'cart'],
] as const) {
  test(`a pod's name in traces is ${title}`, () => {
    const pod = podKind.schema.parse({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web-1', namespace: 'default', ...metadata },
      spec: { containers: [{ name: 'app', image: 'x:1' }] },
    });
    assert.equal(serviceNameOf(pod), name);
  });
}
