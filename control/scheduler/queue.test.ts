import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type QueuedPod, SchedulingQueue } from './queue.ts';

const waiting = (name: string, priority = 0, since = '2030-01-01T00:00:00Z'): QueuedPod => ({
  uid: name,
  key: `default/${name}`,
  priority,
  since,
});

function queueOf(...pods: QueuedPod[]): SchedulingQueue {
  const queue = new SchedulingQueue(() => 0);
  for (const pod of pods) queue.add(pod);
  return queue;
}

test('the highest priority goes first, then the one that waits longest', () => {
  const queue = queueOf(waiting('late', 0, '2030-01-01T00:00:09Z'), waiting('early'), waiting('urgent', 5));
  const order: string[] = [];
  for (let next = queue.next(0); next !== undefined; next = queue.next(0)) {
    order.push(next.uid);
    queue.remove(next.uid);
  }
  assert.deepEqual(order, ['urgent', 'early', 'late']);
});

test('a parked pod waits for a change and for its back-off, which grows from 1 s to 10 s', () => {
  const queue = queueOf(waiting('web'));
  const delays: number[] = [];
  let now = 0;
  for (let attempt = 0; attempt < 6; attempt++) {
    assert.equal(queue.next(now)?.uid, 'web');
    queue.park('web', now);
    assert.equal(queue.next(now + 60_000), undefined, 'nothing changed');
    queue.wakeParked();
    const dueAt = queue.nextDueAt() ?? 0;
    assert.equal(queue.next(dueAt - 1), undefined);
    delays.push(dueAt - now);
    now = dueAt;
  }
  assert.deepEqual(delays, [1000, 2000, 4000, 8000, 10_000, 10_000]);
});

test('a parked pod that nothing brings back is tried again after five minutes', () => {
  const queue = queueOf(waiting('web'));
  queue.park('web', 0);
  assert.equal(queue.nextDueAt(), 300_000);
  assert.equal(queue.next(299_999), undefined);
  assert.equal(queue.next(300_000)?.uid, 'web');
});

test('a pod that failed for another reason comes back by itself, and adding it again changes nothing', () => {
  const queue = queueOf(waiting('web'));
  queue.retry('web', 0);
  queue.add(waiting('web'));
  assert.equal(queue.size, 1);
  assert.equal(queue.next(999), undefined);
  assert.equal(queue.next(1000)?.uid, 'web');
});
