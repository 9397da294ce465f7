import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../../api/kinds/event.ts';
import type { KubeObject } from '../../api/kinds/kind.ts';
import { describeObject } from './describe-object.ts';

const CREATED = '2026-01-01T00:00:00Z';
const NOW_MS = Date.parse('2026-01-01T00:00:05Z');

function described(object: object, events: readonly Event[] = []): string {
  return describeObject(object as KubeObject, events, NOW_MS);
}

test('names come first, what only the server needs is left out, values stand under each other', () => {
  const text = described({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      uid: 'u',
      resourceVersion: '7',
      creationTimestamp: CREATED,
      name: 'web-1',
      namespace: 'shop',
      labels: { app: 'web', tier: 'front' },
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
      ownerReferences: [{ kind: 'ReplicaSet', name: 'web', controller: true }],
    },
    spec: { terminationGracePeriodSeconds: 30, nodeName: 'one', containers: [{ name: 'web', image: 'web:1' }] },
    status: {},
  });
  assert.equal(
    text,
    `Name:           web-1
Namespace:      shop
Kind:           Pod (v1)
Created:        2026-01-01T00:00:00Z (5s ago)
Controlled By:  ReplicaSet/web
Labels:         app=web
                tier=front
Spec:
  Termination Grace Period Seconds:  30
  Node Name:                         one
  Containers:
    web:
      Image:         web:1
Events:  <none>
`,
  );
});

test("a ConfigMap's keys and a Service's selector are the user's own words, and stay as they are", () => {
  const metadata = { name: 'x', creationTimestamp: CREATED };
  const data = { 'banner.txt': 'two\nlines\n', currency: 'EUR' };
  assert.match(
    described({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data }),
    /^Data:\n {2}banner.txt:\n {4}two\n {4}lines\n {2}currency: +EUR$/m,
  );
  assert.match(
    described({
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { clusterIPs: ['127.0.0.1'], selector: { app: 'x', 'a/b': 'c' } },
    }),
    /^ {2}Cluster IPs: +127.0.0.1\n {2}Selector: +app=x\n +a\/b=c$/m,
  );
});

test("of a Secret's data only the sizes are told", () => {
  const metadata = { name: 'x', creationTimestamp: CREATED };
  const text = described({ apiVersion: 'v1', kind: 'Secret', metadata, data: { key: 'c2VjcmV0' } });
  assert.match(text, /^ {2}key: +6 bytes$/m);
  assert.doesNotMatch(text, /c2VjcmV0|secret/);
});

test('conditions and events are tables', () => {
  const event = { type: 'Warning', reason: 'Failed', message: 'no', count: 3, lastTimestamp: CREATED, metadata: {} };
  const text = described(
    {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'one', creationTimestamp: CREATED },
      status: { conditions: [{ type: 'Ready', status: 'True', reason: 'Ok', message: '' }] },
    },
    [event as unknown as Event],
  );
  assert.match(text, /TYPE +STATUS +REASON +MESSAGE\n +Ready +True +Ok +-\n/);
  assert.match(text, /Events:\n {2}TYPE +REASON +AGE +FROM +MESSAGE\n {2}Warning +Failed +5s \(x3\) +no\n/);
});

test('an annotation that was not written for people is cut, as kubectl cuts it', () => {
  const text = describeObject(
    {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'n', annotations: { long: 'x'.repeat(500), short: 'y' } },
    } as never,
    [],
    0,
  );
  assert.match(text, /long=x{137}\.\.\.\n/);
  assert.match(text, /short=y\n/);
});
