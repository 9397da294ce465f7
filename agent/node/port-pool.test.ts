import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { PortPool } from './port-pool.ts';

test('agents that choose at the same moment, by the same chance, are given different ports; whose agent is gone are free', async (t) => {
  const pools = Array.from({ length: 4 }, () => new PortPool(() => 0.25));
  t.after(() => Promise.all(pools.map((pool) => pool.close())));
  const ports = await Promise.all([...pools, ...pools].map((pool) => pool.take()));
  assert.equal(new Set(ports).size, 8, ports.join(' '));
  const [first] = pools;
  await first?.close();
  const next = new PortPool(() => 0.25);
  t.after(() => next.close());
  assert.ok(ports.includes(await next.take()));
});

test('ports are given once, and not while something listens on any address', async (t) => {
  const pool = new PortPool(() => 0.5);
  t.after(() => pool.close());
  const first = await pool.take();
  const busy = createServer().listen(first + 1, '127.0.0.1');
  await once(busy, 'listening');
  t.after(() => busy.close());
  const second = await pool.take();
  assert.ok(second > first + 1);
  pool.release(first);
  assert.equal(await pool.take(), first);
  const other = new PortPool(() => 0.5);
  t.after(() => other.close());
  other.keep(first);
  assert.notEqual(await other.take(), first);
});
