import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { test } from 'node:test';
import { claim } from './claim.ts';
import { PortPool } from './port-pool.ts';

/** A server at that port of 127.0.0.1; undefined where somebody else, an app of a test beside this one, has it. */
async function listenAt(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return undefined;
  }
}

test('agents that choose at the same moment, by the same chance, are given different ports; whose agent is gone are free', async (t) => {
  const pools = Array.from({ length: 4 }, () => new PortPool(() => 0.25));
  t.after(() => Promise.all(pools.map((pool) => pool.close())));
  const ports = await Promise.all([...pools, ...pools].map((pool) => pool.take()));
  assert.equal(new Set(ports).size, 8, ports.join(' '));
  const [first] = pools;
  await first?.close();
  // Its block, unless an agent of another test that runs beside this one has been quicker.
  const block = Math.floor(((ports[0] ?? 0) - 28_000) / 149);
  const next = new PortPool(() => (block + 0.5) / 32);
  t.after(() => next.close());
  const taken = await next.take();
  const isOfIt = Math.floor((taken - 28_000) / 149) === block;
  if (!isOfIt)
    assert.equal(await claim('127.0.0.1', 28_000 + block * 149), undefined, `${taken} after ${ports.join(' ')}`);
});

test('ports are given once, and not while something listens on any address', async (t) => {
  const pool = new PortPool(() => 0.5);
  t.after(() => pool.close());
  const first = await pool.take();
  // Whoever listens at the next one, the pool passes it over.
  const busy = await listenAt(first + 1);
  t.after(() => busy?.close());
  const second = await pool.take();
  assert.notEqual(second, first + 1);
  pool.release(first);
  assert.equal(await pool.take(), first);
  const other = new PortPool(() => 0.5);
  t.after(() => other.close());
  other.keep(first);
  assert.notEqual(await other.take(), first);
});
