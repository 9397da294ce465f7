import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Pod, podKind } from '../../api/kinds/pod.ts';
import { deadlineAtMs, doomBefore, limitedVolumes, overdue, tooLarge } from './doom.ts';

function pod(spec: Record<string, unknown>, status: Record<string, unknown> = {}): Pod {
  return podKind.schema.parse({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop', uid: 'u' },
    spec: { containers: [{ name: 'app', image: 'x' }], ...spec },
    status,
  });
}

test('a pod is overdue when its deadline has passed since it was taken on, and one without a deadline never', () => {
  const timed = pod({ activeDeadlineSeconds: 30 });
  assert.equal(deadlineAtMs(timed, 1000), 31_000);
  assert.equal(overdue(timed, 1000, 30_999), undefined);
  assert.equal(overdue(timed, 1000, 31_000)?.reason, 'DeadlineExceeded');
  assert.equal(overdue(pod({}), 1000, Number.MAX_SAFE_INTEGER), undefined);
});

test('a pod is evicted for an emptyDir that holds more than its limit', () => {
  const limited = pod({
    volumes: [
      { name: 'free', emptyDir: {} },
      { name: 'cache', emptyDir: { sizeLimit: '1Mi' } },
    ],
  });
  assert.deepEqual(limitedVolumes(limited), [{ name: 'cache', bytes: 1 << 20 }]);
  assert.equal(tooLarge(limited, [{ name: 'cache', bytes: 1 << 20 }]), undefined);
  assert.equal(tooLarge(limited, [{ name: 'free', bytes: 1 << 30 }]), undefined);
  assert.deepEqual(tooLarge(limited, [{ name: 'cache', bytes: (1 << 20) + 1 }]), {
    reason: 'Evicted',
    message: 'Usage of EmptyDir volume "cache" exceeds the limit "1Mi".',
  });
});

test('what the status says of an earlier decision holds; other reasons are not one', () => {
  assert.deepEqual(doomBefore(pod({}, { reason: 'Evicted', message: 'm' })), { reason: 'Evicted', message: 'm' });
  assert.equal(doomBefore(pod({}, { reason: 'NodeLost' })), undefined);
});
