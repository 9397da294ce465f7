import assert from 'node:assert/strict';
import { test } from 'node:test';
import { probeSchema } from '../../api/kinds/probe.ts';
import { FakeClock } from '../../kit/fake-clock.ts';
import { Prober } from './prober.ts';

test('a prober probes on time, tells of changes, and leaves no timer when closed', async () => {
  const clock = new FakeClock();
  const told: string[] = [];
  let exitCode = 1;
  const probe = probeSchema.parse({ exec: { command: ['x'] }, periodSeconds: 5 });
  const prober: Prober = new Prober({
    container: { readinessProbe: probe, livenessProbe: { ...probe, initialDelaySeconds: 3 } },
    target: {
      address: '127.0.0.1',
      port: () => undefined,
      exec: () => Promise.resolve({ exitCode, output: 'said so' }),
      clock,
    },
    ageMs: 0,
    clock,
    onChange: () => told.push(`${clock.monotonic()} ready=${prober.ready} failed=${prober.failed?.kind}`),
    onNews: (kind, message) => told.push(`${clock.monotonic()} ${kind}: ${message}`),
  });
  await clock.advance(500);
  assert.deepEqual([prober.ready, prober.started, told], [false, true, []]);
  exitCode = 0;
  await clock.advance(500);
  assert.deepEqual(told.splice(0), ['600 ready=true failed=undefined']);
  await clock.advance(9000);
  exitCode = 1;
  await clock.advance(20_000);
  assert.deepEqual(told, [
    '10600 readiness: said so',
    '13000 liveness: said so',
    '15600 readiness: said so',
    '18000 liveness: said so',
    '20600 readiness: said so',
    '20600 ready=false failed=undefined',
    '23000 liveness: said so',
    '23000 ready=false failed=liveness',
  ]);
  assert.deepEqual(prober.failed, { kind: 'liveness', message: 'said so' });
  prober.close();
  assert.equal(clock.pendingTimers, 0);
});
