import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { backoffMs } from './backoff.ts';
import { readTextIfPresent, writeFileAtomic } from './disk.ts';
import { nameSuffix, safeEncode } from './ids.ts';
import { createLog } from './log.ts';
import { identifyProcess, isRunning, signalProcess } from './process.ts';
import { randomInt, seededRandom } from './random.ts';

test('the same seed gives the same sequence, spread over the whole range', () => {
  const draw = (seed: number): number[] => Array.from({ length: 1000 }, seededRandom(seed));
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
  const mean = draw(7).reduce((sum, value) => sum + value, 0) / 1000;
  assert.ok(Math.abs(mean - 0.5) < 0.05, `mean ${mean}`);
  const random = seededRandom(1);
  const seen = new Set(Array.from({ length: 200 }, () => randomInt(random, 6)));
  assert.deepEqual(
    [...seen].sort((one, other) => one - other),
    [0, 1, 2, 3, 4, 5],
  );
});

test('back-off grows by its factor to its limit, and jitter only shortens it', () => {
  const plain = { baseMs: 10, maxMs: 100 };
  assert.deepEqual(
    [0, 1, 2, 3, 4, 500].map((attempt) => backoffMs(attempt, plain, () => 0.9)),
    [10, 20, 40, 80, 100, 100],
  );
  assert.equal(
    backoffMs(2, { ...plain, jitter: 1 }, () => 0.25),
    30,
  );
  assert.equal(
    backoffMs(1, { ...plain, factor: 3 }, () => 0),
    30,
  );
});

test('generated names keep to the safe alphabet', () => {
  assert.match(nameSuffix(), /^[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  assert.match(safeEncode('3735928559'), /^[bcdfghjklmnpqrstvwxz2456789]{10}$/);
  assert.notEqual(safeEncode('123'), safeEncode('124'));
});

test('an atomic write replaces the whole file, keeps its mode and leaves nothing beside it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-kit-'));
  try {
    const path = join(folder, 'deep', 'key.pem');
    await writeFileAtomic(path, 'first', { mode: 0o600 });
    await writeFileAtomic(path, 'second', { mode: 0o600 });
    assert.equal(await readFile(path, 'utf8'), 'second');
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(join(folder, 'deep')), ['key.pem']);
    assert.equal(await readTextIfPresent(join(folder, 'absent')), undefined);
    await assert.rejects(readTextIfPresent(folder), /EISDIR/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('an identified process is running until it ends, and another with its pid is not it', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const identity = identifyProcess(child.pid ?? 0);
  assert.ok(identity !== undefined && isRunning(identity));
  assert.equal(isRunning({ ...identity, startTicks: '1' }), false);
  const exited = once(child, 'exit');
  assert.equal(signalProcess(identity.pid, 'SIGKILL'), true);
  await exited;
  assert.equal(isRunning(identity), false);
  assert.equal(signalProcess(identity.pid, 'SIGTERM'), false);
});

test('a text log line is for people, with the error and the fields behind the message', () => {
  const lines: string[] = [];
  const log = createLog({ level: 'info', format: 'text', write: (line) => lines.push(line) });
  log.child({ component: 'scheduler' }).warn({ pod: 'web-1', error: new Error('no node') }, 'cannot place pod');
  log.debug('hidden');
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /^\d\d:\d\d:\d\d WARN scheduler: cannot place pod: no node pod=web-1\n$/);
});
