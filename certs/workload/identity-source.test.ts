import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../../kit/fake-clock.ts';
import { createLog, silentLog } from '../../kit/log.ts';
import { type Authority, openAuthority } from '../authority/authority.ts';
import { IdentitySource, type IdentitySourceOptions } from './identity-source.ts';
import type { MeshIdentity } from './mesh-identity.ts';

const ID = 'spiffe://tutti.local/ns/shop/sa/catalog';
const TTL_MS = 3600_000;

interface Subject {
  readonly clock: FakeClock;
  readonly authority: Authority;
  readonly requests: string[];
  /** Fails while set. */
  outage: string | undefined;
  readonly log: string[];
  readonly source: IdentitySource;
}

async function subject(context: TestContext, changes: Partial<IdentitySourceOptions> = {}): Promise<Subject> {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-certs-'));
  const clock = new FakeClock();
  const authority = await openAuthority({ folder, trustDomain: 'tutti.local', clock, log: silentLog() });
  const log: string[] = [];
  const state: Omit<Subject, 'source'> = { clock, authority, requests: [], outage: undefined, log };
  const source = new IdentitySource({
    spiffeId: ID,
    clock,
    random: () => 0,
    log: createLog({ level: 'info', format: 'json', write: (line) => log.push(line) }),
    obtain: async (csrPem) => {
      state.requests.push(csrPem);
      if (state.outage !== undefined) throw new Error(state.outage);
      const issued = authority.issueSvid({ csrPem, spiffeId: ID, ttlSeconds: TTL_MS / 1000 });
      return { certificateChainPem: issued.certificateChainPem, trustBundlePem: authority.trustBundlePem };
    },
    ...changes,
  });
  context.after(async () => {
    source.close();
    await clock.advance(0);
    assert.equal(clock.pendingTimers, 0, 'a closed source leaves no timer');
    await rm(folder, { recursive: true });
  });
  return Object.assign(state, { source });
}

test('the first identity is sound, and its key is its own', async (context) => {
  const { source, clock, authority } = await subject(context);
  assert.throws(() => source.current(), /is not obtained yet/);
  const identity = await source.start();
  assert.equal(source.current(), identity);
  assert.deepEqual([identity.generation, identity.spiffeId], [1, ID]);
  assert.equal(identity.trustBundlePem, authority.trustBundlePem);
  assert.equal(identity.notAfterMs, clock.now() + TTL_MS);
  const certificate = new X509Certificate(identity.certificateChainPem);
  assert.equal(certificate.checkPrivateKey(createPrivateKey(identity.privateKeyPem)), true);
});

test('it is renewed at half life, again and again, with a new key each time', async (context) => {
  const { source, clock, requests } = await subject(context);
  const seen: MeshIdentity[] = [await source.start()];
  const stop = source.onChange((identity) => seen.push(identity));
  await clock.advance(TTL_MS / 2 - 1000);
  assert.equal(seen.length, 1);
  await clock.advance(2000);
  assert.equal(seen.length, 2);
  await clock.advance(2 * TTL_MS);
  assert.equal(seen.length, 6);
  assert.deepEqual(
    seen.map(({ generation }) => generation),
    [1, 2, 3, 4, 5, 6],
  );
  assert.equal(new Set(seen.map(({ privateKeyPem }) => privateKeyPem)).size, 6);
  assert.equal(new Set(requests).size, 6);
  assert.equal(source.current(), seen.at(-1));
  stop();
  await source.rotateNow();
  assert.equal(seen.length, 6);
});

test('start outlasts an authority that is not there yet, and says so in the log', async (context) => {
  const state = await subject(context);
  state.outage = 'connection refused';
  const started = state.source.start();
  await clock10(state);
  assert.ok(state.requests.length > 2);
  assert.match(state.log[0] ?? '', /cannot obtain an identity, will try again/);
  assert.match(state.log[0] ?? '', /connection refused/);
  state.outage = undefined;
  await clock10(state);
  assert.equal((await started).generation, 1);
  assert.equal(state.source.start() instanceof Promise, true);
});

async function clock10({ clock }: Subject): Promise<void> {
  await clock.advance(10_000);
}

test('an outage keeps the present identity, with more attempts towards its end, and ends by itself', async (context) => {
  const state = await subject(context);
  const first = await state.source.start();
  await state.clock.advance(TTL_MS / 2 - 1);
  state.outage = 'connection refused';
  await state.clock.advance(TTL_MS / 4);
  const early = state.requests.length;
  await state.clock.advance(TTL_MS / 4 - 5000);
  const late = state.requests.length;
  assert.ok(late - early > early, `${early} attempts in one quarter, ${late - early} in the last`);
  assert.equal(state.source.current(), first);
  state.outage = undefined;
  await state.clock.advance(5000);
  assert.equal(state.source.current().generation, 2);
});

test('a rotation asked for joins the one under way, and its failure reaches the caller alone', async (context) => {
  const state = await subject(context);
  const first = await state.source.start();
  const [one, other] = await Promise.all([state.source.rotateNow(), state.source.rotateNow()]);
  assert.equal(one, other);
  assert.equal(one.generation, 2);
  assert.equal(state.requests.length, 2);
  state.outage = 'forbidden';
  await assert.rejects(state.source.rotateNow(), /forbidden/);
  assert.equal(state.source.current(), one);
  assert.notEqual(first.privateKeyPem, one.privateKeyPem);
});

test('an answer that never comes is given up', async (context) => {
  const signals: AbortSignal[] = [];
  const { source, clock } = await subject(context, {
    obtain: (_csr, signal) => {
      signals.push(signal);
      return new Promise(() => undefined);
    },
  });
  source.start().catch(() => undefined);
  await clock.advance(12_000);
  assert.equal(signals.length, 2);
  assert.equal(signals[0]?.aborted, true);
});

test('a machine that slept renews soon after it wakes', async (context) => {
  const { source, clock } = await subject(context);
  await source.start();
  // A timer that runs late by sleep looks like a clock that was set: wall time jumps, the pending wait is a minute at most.
  const now = clock.now.bind(clock);
  clock.now = () => now() + TTL_MS * 0.8;
  await clock.advance(60_000);
  assert.equal(source.current().generation, 2);
});

test('a certificate that is not the one asked for never replaces the present one', async (context) => {
  const state = await subject(context);
  const { authority } = state;
  const issue = (csrPem: string): string => authority.issueSvid({ csrPem, spiffeId: ID }).certificateChainPem;
  const folder = await mkdtemp(join(tmpdir(), 'tutti-certs-'));
  context.after(() => rm(folder, { recursive: true }));
  const stranger = await openAuthority({ folder, trustDomain: 'tutti.local', clock: state.clock, log: silentLog() });
  const spiffeId = 'spiffe://tutti.local/ns/shop/sa/cart';
  const publicKey = new X509Certificate(
    authority.issueServing({ dnsNames: ['x'], ipAddresses: [] }).certificateChainPem,
  ).publicKey;
  const answers: Record<string, [(csr: string) => string, RegExp]> = {
    'another key': [() => authority.issueSvid({ publicKey, spiffeId: ID }).certificateChainPem, /for another key/],
    'another id': [
      () => authority.issueSvid({ publicKey, spiffeId }).certificateChainPem,
      /is for "spiffe:\/\/tutti.local\/ns\/shop\/sa\/cart"/,
    ],
    'another authority': [(csrPem) => stranger.issueSvid({ csrPem, spiffeId: ID }).certificateChainPem, /untrusted/],
    nothing: [() => '', /empty-chain/],
    sound: [issue, /./],
  };
  for (const [name, [answer, refusal]] of Object.entries(answers)) {
    const source = new IdentitySource({
      spiffeId: ID,
      clock: state.clock,
      random: () => 0,
      log: silentLog(),
      obtain: async (csrPem) => ({ certificateChainPem: answer(csrPem), trustBundlePem: authority.trustBundlePem }),
    });
    if (name === 'sound') await source.rotateNow();
    else await assert.rejects(source.rotateNow(), refusal, name);
    source.close();
  }
});

test('a listener that fails does not keep the others from hearing', async (context) => {
  const { source, log } = await subject(context);
  const heard: number[] = [];
  source.onChange(() => {
    throw new Error('listener broke');
  });
  source.onChange(({ generation }) => heard.push(generation));
  await source.start();
  assert.deepEqual(heard, [1]);
  assert.match(log.join(''), /listener broke/);
});

test('closing ends a start that waits, and the last identity stays readable', async (context) => {
  const state = await subject(context);
  const identity = await state.source.start();
  state.source.close();
  assert.equal(state.source.current(), identity);
  await assert.rejects(state.source.rotateNow(), /is closed/);
  await assert.rejects(state.source.start(), /is closed/);

  const waiting = await subject(context, { obtain: () => new Promise(() => undefined) });
  const started = waiting.source.start();
  waiting.source.close();
  await assert.rejects(started, /is closed/);
});
