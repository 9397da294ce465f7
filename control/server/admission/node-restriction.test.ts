import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leaseKind } from '../../../api/kinds/lease.ts';
import { nodeKind } from '../../../api/kinds/node.ts';
import { podKind } from '../../../api/kinds/pod.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import type { User } from '../authn/user.ts';
import { podDraft } from '../testing/drafts.ts';
import { verbBench, writeAs } from '../testing/verb-bench.ts';
import { createObject } from '../verbs/create.ts';
import { deleteObject } from '../verbs/delete.ts';
import { patchObject } from '../verbs/patch.ts';
import { updateObject } from '../verbs/update.ts';

const agent: User = { name: 'system:node:a', groups: ['system:nodes', 'system:authenticated'], extra: {} };
const forbidden = (error: unknown): boolean => error instanceof ApiError && error.code === 403;

test("an agent writes the status of its own node's pods, deletes them, and no others", async () => {
  const { client, verbs } = await verbBench();
  for (const [name, nodeName] of [
    ['mine', 'a'],
    ['other', 'b'],
  ] as const) {
    const pod = await client.create(podKind, podDraft(name, { nodeName }));
    const ref = { namespace: 'default', name };
    const input = { ...pod, status: { ...pod.status, phase: 'Running' } };
    const written = updateObject(verbs, podKind, { ...writeAs(agent), ref, input, subresource: 'status' });
    const deleted = async () => await deleteObject(verbs, podKind, { user: agent, ref, gracePeriodSeconds: 0 });
    if (name === 'mine') {
      assert.equal((await written).status.phase, 'Running');
      assert.equal((await deleted()).removed, true);
    } else {
      await assert.rejects(written, forbidden);
      await assert.rejects(deleted(), forbidden);
    }
  }
});

test("an agent renews its own lease and nobody else's", async () => {
  const { verbs } = await verbBench();
  const lease = (name: string) =>
    createObject(verbs, leaseKind, {
      ...writeAs(agent),
      namespace: 'kube-node-lease',
      input: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name } },
    });
  assert.equal((await lease('a')).metadata.name, 'a');
  await assert.rejects(lease('b'), forbidden);
});

type Change = Readonly<Record<string, unknown>>;

/** What agent `a` may change of its own pod, of another node's, of its own Node and of another's. */
const changes: readonly (readonly [what: string, of: 'pod' | 'node', Change, refused?: RegExp])[] = [
  ['where its mesh port is', 'pod', { metadata: { annotations: { 'tutti.dev/mesh-address': '127.0.0.1:1' } } }],
  ['which ports it gave', 'pod', { metadata: { annotations: { 'tutti.dev/app-ports': '{}' } } }],
  [
    'whether it has a sidecar',
    'pod',
    { metadata: { annotations: { 'tutti.dev/inject': 'false' } } },
    /annotation "tutti.dev\/inject"/,
  ],
  ['its labels', 'pod', { metadata: { labels: { app: 'other' } } }, /the metadata of a pod/],
  ['its finalizers', 'pod', { metadata: { finalizers: ['a.b/c'] } }, /the metadata of a pod/],
  ['its image', 'pod', { spec: { containers: [{ name: 'app', image: 'evil' }] } }, /the spec of a pod/],
  ['who it runs as', 'pod', { spec: { serviceAccountName: 'admin' } }, /the spec of a pod/],
  ['its host name label', 'node', { metadata: { labels: { 'kubernetes.io/hostname': 'a' } } }],
  ['a label of its own', 'node', { metadata: { labels: { rack: '4' } } }],
  ['its role', 'node', { metadata: { labels: { 'node-role.kubernetes.io/control-plane': '' } } }, /label "node-role/],
  [
    'a label that is for others to give',
    'node',
    { metadata: { labels: { 'x.node-restriction.kubernetes.io/y': 'z' } } },
    /label "x.node/,
  ],
  ['its taints', 'node', { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } }, /taints/],
  ['whether pods are placed on it', 'node', { spec: { unschedulable: true } }, /spec.unschedulable/],
  [
    'its credentials',
    'node',
    { metadata: { annotations: { 'tutti.dev/node-certificates': 'x' } } },
    /node-certificates/,
  ],
];
for (const [what, of, patch, refused] of changes) {
  test(`an agent ${refused === undefined ? 'may' : 'may not'} change of its ${of}: ${what}`, async () => {
    const { client, verbs } = await verbBench();
    await client.create(podKind, podDraft('mine', { nodeName: 'a' }));
    await client.create(nodeKind, { metadata: { name: 'a' }, spec: {} });
    const request = { ...writeAs(agent), type: 'strategic', patch } as const;
    const changed =
      of === 'pod'
        ? patchObject(verbs, podKind, { ...request, ref: { namespace: 'default', name: 'mine' } })
        : patchObject(verbs, nodeKind, { ...request, ref: { name: 'a' } });
    if (refused === undefined) await changed;
    else await assert.rejects(changed, (error) => forbidden(error) && refused.test((error as Error).message));
  });
}

const creations = [
  ['its own Node', nodeKind, { metadata: { name: 'a' } }, undefined],
  ["another's Node", nodeKind, { metadata: { name: 'b' } }, /not allowed to modify node "b"/],
  [
    'its own Node with credentials',
    nodeKind,
    { metadata: { name: 'a', annotations: { 'tutti.dev/node-certificates': 'x' } } },
    /node-certificates/,
  ],
  ['a pod on itself', podKind, podDraft('new', { nodeName: 'a' }), /not create them/],
  ['a pod on another', podKind, podDraft('new', { nodeName: 'b' }), /not create them/],
  [
    'its lease elsewhere',
    leaseKind,
    { metadata: { name: 'a', namespace: 'default' } },
    /in the "kube-node-lease" namespace/,
  ],
] as const;
for (const [what, kind, draft, refused] of creations) {
  test(`an agent ${refused === undefined ? 'may' : 'may not'} create ${what}`, async () => {
    const { verbs } = await verbBench();
    const input = { ...draft, apiVersion: kind.group === '' ? 'v1' : `${kind.group}/v1`, kind: kind.kind };
    const request = { ...writeAs(agent), namespace: undefined, input };
    const created = createObject(verbs, kind as typeof nodeKind, request);
    if (refused === undefined) await created;
    else await assert.rejects(created, (error) => forbidden(error) && refused.test((error as Error).message));
  });
}

test("an agent deletes its own Node and no other's", async () => {
  const { client, verbs } = await verbBench();
  for (const name of ['a', 'b']) await client.create(nodeKind, { metadata: { name }, spec: {} });
  await assert.rejects(deleteObject(verbs, nodeKind, { user: agent, ref: { name: 'b' } }), forbidden);
  assert.equal((await deleteObject(verbs, nodeKind, { user: agent, ref: { name: 'a' } })).removed, true);
});
