import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { PortPool } from './port-pool.ts';

test('ports are given once, and not while something listens on any address', async (t) => {
  const pool = new PortPool(() => 0.5);
  const first = await pool.take();
  const busy = createServer().listen(first + 1, '127.0.0.1');
  await once(busy, 'listening');
  t.after(() => busy.close());
  const second = await pool.take();
  assert.ok(second > first + 1);
  pool.release(first);
  assert.equal(await pool.take(), first);
  const other = new PortPool(() => 0.5);
  other.keep(first);
  assert.notEqual(await other.take(), first);
});
