import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type Lease, leaseKind } from '../../../api/kinds/lease.ts';
import { timestamp } from '../../../kit/clock.ts';
import { LONG_AGO, node, pod, stored } from '../testing/objects.ts';
import { asNotReady, decideNodeLifecycle, type NodeView, SILENT_AFTER_MS } from './decide.ts';
import { Silence } from './silence.ts';

const NOW_MS = Date.UTC(2030, 0, 1);
const NOW = timestamp(NOW_MS);

function view(name: string, silentForMs: number, said: Partial<NodeView> = {}): NodeView {
  const pods = [pod(`${name}-pod`, { node: name, readySince: LONG_AGO })];
  return { name, node: node(name), silentForMs, isRenewed: silentForMs < SILENT_AFTER_MS, pods, ...said };
}

const decide = (...views: NodeView[]) => decideNodeLifecycle(views, NOW_MS, NOW);
const names = (objects: readonly { metadata: { name: string } }[]) => objects.map(({ metadata }) => metadata.name);

test('a silent node is marked unknown and its pods are replaced; the others are left alone', () => {
  const plan = decide(view('a', SILENT_AFTER_MS), view('b', SILENT_AFTER_MS - 1), view('c', 0), view('d', 0));
  assert.deepEqual(names(plan.lost), ['a']);
  assert.deepEqual(names(plan.evict), ['a-pod']);
  const [ready] = plan.lost[0]?.status.conditions ?? [];
  assert.deepEqual([ready?.type, ready?.status, ready?.reason], ['Ready', 'Unknown', 'NodeStatusUnknown']);
  const again = decide(view('a', 60_000, { node: plan.lost[0], pods: [] }), view('b', 0), view('c', 0));
  assert.deepEqual([again.lost, again.returned], [[], []]);
});

test('a node is back when its lease is renewed, and not because it was looked at for the first time', () => {
  const lost = decide(view('a', 9000), view('b', 0)).lost[0];
  const back = decide(view('a', 0, { node: lost, isRenewed: true }), view('b', 0));
  assert.equal(back.returned[0]?.status.conditions?.[0]?.status, 'True');
  assert.deepEqual(decide(view('a', 0, { node: lost, isRenewed: false }), view('b', 0)).returned, []);
});

test('a node that says itself that it is not ready is not taken for lost or back', () => {
  const conditions = [{ type: 'Ready', status: 'False', reason: 'RuntimeDown' }];
  const plan = decide(view('a', 0, { node: node('a', { status: { conditions } }) }), view('b', 0));
  assert.deepEqual([plan.lost, plan.returned, plan.evict], [[], [], []]);
});

test('pods of a node that is no more are replaced like those of a silent one', () => {
  const plan = decide(view('gone', 9000, { node: undefined }), view('b', 0));
  assert.deepEqual([names(plan.evict), plan.lost], [['gone-pod'], []]);
});

test('a pod of a silent node is forgotten when its grace is over, and not before', () => {
  const ending = (name: string, deletionTimestamp: string) => pod(name, { node: 'a', metadata: { deletionTimestamp } });
  const pods = [ending('over', timestamp(NOW_MS - 1000)), ending('waiting', timestamp(NOW_MS + 1000))];
  const plan = decide(view('a', 9000, { pods }), view('b', 0));
  assert.deepEqual([names(plan.forget), plan.evict], [['over'], []]);
  const reachable = decide(view('a', 0, { pods }), view('b', 0));
  assert.deepEqual(reachable.forget, []);
});

test('nodes that are cut off together are held, though one is silent a moment before the others', () => {
  const plan = decide(view('a', SILENT_AFTER_MS), view('b', SILENT_AFTER_MS - 1000), view('c', 0));
  assert.deepEqual([names(plan.lost), plan.evict], [['a'], []]);
  assert.match(plan.brake ?? '', /2 of 3 nodes/);
  const alone = decide(view('a', SILENT_AFTER_MS), view('b', 2000), view('c', 0));
  assert.deepEqual([names(alone.evict), alone.brake], [['a-pod'], undefined]);
});

test('no pod is moved when 55 % of the nodes or more are silent at once', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }), (silent) => {
      const views = silent.map((isSilent, index) => view(`n${index}`, isSilent ? 60_000 : 0));
      const plan = decide(...views);
      const share = silent.filter(Boolean).length / silent.length;
      assert.equal(plan.evict.length, share >= 0.55 ? 0 : silent.filter(Boolean).length);
      assert.equal(plan.brake !== undefined, share >= 0.55);
      assert.equal(plan.lost.length, silent.filter(Boolean).length);
    }),
  );
});

test('a pod that is lost is not ready; one that was not ready is left as it is', () => {
  const ready = asNotReady(pod('p', { readySince: LONG_AGO }), NOW)?.status.conditions?.[0];
  assert.deepEqual([ready?.status, ready?.lastTransitionTime], ['False', NOW]);
  assert.equal(asNotReady(pod('p'), NOW), undefined);
});

test('silence is counted from when the lease was last seen to change, by this clock alone', () => {
  const silence = new Silence();
  const lease = (renewTime: string): Lease => stored(leaseKind, 'a', { spec: { renewTime } });
  assert.deepEqual(silence.observe('a', lease('2001-01-01T00:00:00.000000Z'), 0), { silentForMs: 0, isRenewed: false });
  assert.deepEqual(silence.observe('a', lease('2001-01-01T00:00:00.000000Z'), 5000), {
    silentForMs: 5000,
    isRenewed: false,
  });
  assert.deepEqual(silence.observe('a', lease('2001-01-01T00:00:02.000000Z'), 6000), {
    silentForMs: 0,
    isRenewed: true,
  });
  silence.forgive(20_000);
  assert.equal(silence.observe('a', lease('2001-01-01T00:00:02.000000Z'), 27_000).silentForMs, 1000);
  silence.retain(new Set());
  assert.deepEqual(silence.observe('a', undefined, 90_000), { silentForMs: 0, isRenewed: false });
});

test('after a brake every node has its full time again, and counts as back only when it renews', () => {
  const silence = new Silence();
  const lease = (renewTime: string): Lease => ({ spec: { renewTime } }) as unknown as Lease;
  silence.observe('a', lease('1'), 0);
  silence.observe('a', lease('2'), 1000);
  assert.deepEqual(silence.observe('a', lease('2'), 20_000), { silentForMs: 19_000, isRenewed: true });
  silence.beginAnew(20_000);
  assert.deepEqual(silence.observe('a', lease('2'), 21_000), { silentForMs: 1000, isRenewed: false });
  assert.deepEqual(silence.observe('a', lease('3'), 22_000), { silentForMs: 0, isRenewed: true });
});
