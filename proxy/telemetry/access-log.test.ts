import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../kit/fake-clock.ts';
import { TimerWheel } from '../../kit/timer-wheel.ts';
import { AccessLog, type AccessLogFormat, type AccessRecord } from './access-log.ts';

const RECORD: AccessRecord = {
  startedAtMs: Date.UTC(2030, 0, 1),
  direction: 'inbound',
  method: 'GET',
  authority: 'shop',
  target: '/a?b="c\\',
  status: 200,
  reason: '',
  bytesIn: 1,
  bytesOut: 2,
  durationMs: 3.456,
  tries: 1,
  cluster: 'c',
  upstream: '127.0.0.1:80',
  peer: 'spiffe://tutti.local/x',
  peerAddress: '127.0.0.1',
  requestId: 'id\n"1',
  grpcStatus: -1,
};

function logOf(format: AccessLogFormat) {
  const clock = new FakeClock();
  const batches: string[] = [];
  return { clock, batches, log: new AccessLog(format, (lines) => void batches.push(lines), new TimerWheel(clock)) };
}

test('lines are gathered for a tenth of a second, and each is one JSON document whatever a client put into it', async () => {
  const { clock, batches, log } = logOf('json');
  for (let line = 0; line < 3; line++) log.write(RECORD, clock.monotonic());
  assert.deepEqual(batches, []);
  await clock.advance(150);
  assert.equal(batches.length, 1);
  const lines = (batches[0] ?? '').trimEnd().split('\n');
  assert.equal(lines.length, 3);
  const parsed = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  assert.deepEqual(
    [parsed['time'], parsed['path'], parsed['requestId'], parsed['durationMs'], parsed['status']],
    ['2030-01-01T00:00:00.000Z', RECORD.target, RECORD.requestId, 3.46, 200],
  );
});

test('many lines do not wait', () => {
  const { clock, batches, log } = logOf('text');
  for (let line = 0; line < 1000; line++) log.write({ ...RECORD, requestId: '' }, clock.monotonic());
  assert.ok(batches.length > 2);
  log.flush();
  assert.equal(batches.join('').trimEnd().split('\n').length, 1000);
  assert.match(batches[0] ?? '', / 200 - 1 2 3\.46ms c 127\.0\.0\.1:80 spiffe:\S+ -\n/);
});
