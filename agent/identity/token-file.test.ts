import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../../kit/fake-clock.ts';
import { silentLog } from '../../kit/log.ts';
import { seededRandom } from '../../kit/random.ts';
import { eventually } from '../testing/eventually.ts';
import { renewAfterMs, tokenTimes } from './renewal.ts';
import { TokenFile } from './token-file.ts';
import type { TokenIssuer } from './token-issuer.ts';

const HOUR_MS = 3_600_000;

function jwt(name: string, issuedAtMs: number, expiresAtMs: number): string {
  const payload = { sub: name, iat: issuedAtMs / 1000, exp: expiresAtMs / 1000 };
  return `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.x`;
}

async function fixture(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'token-'));
  const clock = new FakeClock();
  const path = join(folder, 'token');
  const issued: string[] = [];
  let isDown = false;
  const issue: TokenIssuer = () => {
    if (isDown) return Promise.reject(new Error('away'));
    const token = jwt(`t${issued.length}`, clock.now(), clock.now() + HOUR_MS);
    issued.push(token);
    return Promise.resolve({ token, expiresAtMs: clock.now() + HOUR_MS });
  };
  const order = { namespace: 'default', serviceAccount: 'web', audience: 'tutti', expirationSeconds: 3600 };
  const file = new TokenFile({ path, order, issue, clock, random: seededRandom(1), log: silentLog() });
  t.after(async () => {
    await file.close();
    await rm(folder, { recursive: true, force: true });
  });
  return { clock, path, issued, file, down: (is: 'down' | 'up') => (isDown = is === 'down') };
}

test('a token is written for its user alone, and renewed when a fifth of its life is left', async (t) => {
  const { clock, path, issued, file } = await fixture(t);
  await file.start();
  assert.equal(await readFile(path, 'utf8'), issued[0]);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  await clock.advance(0.69 * HOUR_MS);
  assert.equal(issued.length, 1);
  await clock.advance(0.12 * HOUR_MS);
  await eventually('the second token is written', async () => (await readFile(path, 'utf8')) === issued[1]);
});

test('a token that is still valid is kept, and one that has expired is not', async (t) => {
  const valid = await fixture(t);
  const token = jwt('kept', valid.clock.now() - 1000, valid.clock.now() + HOUR_MS);
  await writeFile(valid.path, token);
  valid.down('down');
  await valid.file.start();
  assert.equal(await readFile(valid.path, 'utf8'), token);
  const expired = await fixture(t);
  await writeFile(expired.path, jwt('old', expired.clock.now() - 2 * HOUR_MS, expired.clock.now() - HOUR_MS));
  await expired.file.start();
  assert.equal(expired.issued.length, 1);
});

test('a renewal that fails is tried again until it succeeds', async (t) => {
  const { clock, issued, file, down } = await fixture(t);
  await file.start();
  down('down');
  await clock.advance(0.9 * HOUR_MS);
  assert.equal(issued.length, 1);
  down('up');
  await clock.advance(60_000);
  assert.equal(issued.length, 2);
});

test('renewal comes before expiry whatever the chance', () => {
  for (const random of [0, 0.5, 0.999]) {
    const waitMs = renewAfterMs(0, HOUR_MS, 0, () => random);
    assert.ok(waitMs >= 0.7 * HOUR_MS && waitMs <= 0.8 * HOUR_MS);
  }
  assert.equal(
    renewAfterMs(0, HOUR_MS, 2 * HOUR_MS, () => 0),
    0,
  );
  assert.equal(tokenTimes('no token'), undefined);
});
