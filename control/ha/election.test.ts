import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../kit/fake-clock.ts';
import { silentLog } from '../../kit/log.ts';
import { openMemoryStore } from '../store/memory/memory-store.ts';
import type { Leases } from '../store/store.ts';
import { ELECTION, keepLeading, standBy } from './election.ts';

function members() {
  const clock = new FakeClock();
  const { leases } = openMemoryStore({ clock });
  const stop = new AbortController();
  const member = (holder: string, through: Leases = leases) => ({
    leases: through,
    holder,
    clock,
    log: silentLog(),
    signal: stop.signal,
  });
  return { clock, leases, member, stop };
}

test('who stands by leads when the leader has not renewed for the lease, not before', async () => {
  const { clock, member } = members();
  assert.equal(await standBy(member('one')), 1);
  let epoch: number | undefined;
  const standing = async (): Promise<void> => {
    epoch = await standBy(member('two'));
  };
  void standing();
  await clock.advance(ELECTION.leaseMs - ELECTION.retryMs);
  assert.equal(epoch, undefined);
  await clock.advance(2 * ELECTION.retryMs);
  assert.equal(epoch, 2);
});

test('a leader that renews leads on, and another does not take over', async () => {
  const { clock, member, stop } = members();
  const one = member('one');
  assert.equal(await standBy(one), 1);
  const leading = keepLeading(one, 1);
  let taken = false;
  const standing = async (): Promise<void> => {
    taken = (await standBy(member('two'))) !== undefined;
  };
  void standing();
  await clock.advance(10 * ELECTION.leaseMs);
  assert.equal(taken, false);
  stop.abort();
  assert.equal(await leading, undefined);
});

test('a leader that cannot reach the store ends its term before another can begin one', async () => {
  const { clock, leases, member } = members();
  let reachable = true;
  const cut: Leases = {
    ...leases,
    acquire: (...asked) => (reachable ? leases.acquire(...asked) : new Promise(() => undefined)),
  };
  const one = member('one', cut);
  assert.equal(await standBy(one), 1);
  let lostAt = 0;
  let why: string | undefined;
  const leading = async (): Promise<void> => {
    why = await keepLeading(one, 1);
    lostAt = clock.monotonic();
  };
  void leading();
  await clock.advance(4 * ELECTION.retryMs);
  reachable = false;
  let wonAt = 0;
  const standing = async (): Promise<void> => {
    await standBy(member('two'));
    wonAt = clock.monotonic();
  };
  void standing();
  await clock.advance(3 * ELECTION.leaseMs);
  assert.match(why ?? '', /the store did not answer for 3\.5 s/);
  assert.ok(lostAt > 0 && wonAt > lostAt, `lost at ${lostAt}, won at ${wonAt}`);
});

test('a leader that was stopped finds out at its first renewal that another has taken over', async () => {
  const { clock, leases, member } = members();
  const one = member('one');
  assert.equal(await standBy(one), 1);
  await clock.advance(2 * ELECTION.leaseMs);
  assert.deepEqual(await leases.acquire('tutti-control-plane', 'two', ELECTION.leaseMs), { epoch: 2 });
  const leading = keepLeading(one, 1);
  await clock.advance(ELECTION.retryMs);
  assert.equal(await leading, 'another control plane has taken over');
});

test('a lease and its deadline leave time for a take-over within 10 s', () => {
  assert.ok(ELECTION.renewDeadlineMs + ELECTION.retryMs < ELECTION.leaseMs);
  assert.ok(ELECTION.leaseMs + ELECTION.retryMs <= 6000);
});
