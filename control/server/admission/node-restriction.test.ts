import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leaseKind } from '../../../api/kinds/lease.ts';
import { podKind } from '../../../api/kinds/pod.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import type { User } from '../authn/user.ts';
import { podDraft } from '../testing/drafts.ts';
import { verbBench, writeAs } from '../testing/verb-bench.ts';
import { createObject } from '../verbs/create.ts';
import { deleteObject } from '../verbs/delete.ts';
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
