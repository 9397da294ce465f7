import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { type Pod, podKind } from '../../api/kinds/pod.ts';
import { seededRandom } from '../../kit/random.ts';
import { PortPool } from '../node/port-pool.ts';
import { ADMIN_PORT } from '../sidecar/proxy-settings.ts';
import { PodNetwork } from './pod-network.ts';

const POD: Pod = podKind.schema.parse({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'default' },
  spec: { containers: [{ name: 'app', image: 'none' }] },
});

test("an address on which another cluster's sidecar listens is passed over, and so is the last one's own", async (t) => {
  // Of this test's process alone, so that runs beside it do not meet.
  const range = `127.120.${process.pid % 256}.${(Math.floor(process.pid / 256) % 32) * 8}/29`;
  const network = new PodNetwork(() => Promise.resolve(range), new PortPool(seededRandom(2)), seededRandom(1));
  t.after(() => network.close());
  const first = (await network.place(POD)).address;
  const others = [];
  for (let index = 0; index < 3; index++) {
    const { address } = await network.place(POD);
    others.push(address);
  }
  for (const address of others) network.release({ address, appPorts: {}, meshPort: undefined });
  const [listening = ''] = others;
  const other = createServer().listen({ host: listening, port: ADMIN_PORT });
  await once(other, 'listening');
  t.after(() => other.close());
  const given = new Set<string>();
  for (let index = 0; index < 4; index++) given.add((await network.place(POD)).address);
  assert.equal(given.size, 4);
  assert.ok(!given.has(listening) && !given.has(first), [...given].join(' '));
  await assert.rejects(network.place(POD), /all of 127\.120\.\S+ are in use/);
});

test('two clusters that place a pod at the same moment, by the same chance, give it different addresses', async (t) => {
  const range = () => Promise.resolve(`127.122.${process.pid % 256}.0/24`);
  const networks = [1, 2].map(() => new PodNetwork(range, new PortPool(seededRandom(2)), seededRandom(1)));
  t.after(() => Promise.all(networks.map((network) => network.close())));
  const placements = await Promise.all(networks.map((network) => network.place(POD)));
  assert.equal(new Set(placements.map(({ address }) => address)).size, 2);
  assert.equal(new Set(placements.map(({ meshPort }) => meshPort)).size, 2);
});
