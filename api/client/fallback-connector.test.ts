import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Agent, request } from 'undici';
import { freePort } from '../../test/support/free-port.ts';
import { FallbackConnector } from './fallback-connector.ts';

async function server(t: TestContext, name: string): Promise<string> {
  const started = createServer((_, response) => response.end(name)).listen(0, '127.0.0.1');
  await once(started, 'listening');
  t.after(() => {
    started.closeAllConnections();
    started.close();
  });
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
}

/** An address where nobody listens. */
async function nobody(): Promise<string> {
  return `http://127.0.0.1:${await freePort()}`;
}

async function ask(connector: FallbackConnector, origin: string): Promise<string> {
  const agent = new Agent({ connect: connector.connect });
  try {
    return await (await request(origin, { dispatcher: agent })).body.text();
  } finally {
    await agent.destroy();
  }
}

test('the first server that answers is used, and stays in use', async (t) => {
  const [dead, one, two] = [await nobody(), await server(t, 'one'), await server(t, 'two')];
  const connector = new FallbackConnector([dead, one, two], {});
  assert.equal(await ask(connector, dead), 'one');
  assert.equal(await ask(connector, dead), 'one');
  assert.equal(connector.next(), true);
  assert.equal(await ask(connector, dead), 'two');
});

test('when none answers, the failure of one is told', async () => {
  const [one, two] = [await nobody(), await nobody()];
  await assert.rejects(ask(new FallbackConnector([one, two], {}), one), /ECONNREFUSED/);
});

test('a single server has no other to go to', async (t) => {
  const one = await server(t, 'one');
  const connector = new FallbackConnector([one], {});
  assert.equal(connector.next(), false);
  assert.equal(await ask(connector, one), 'one');
});
