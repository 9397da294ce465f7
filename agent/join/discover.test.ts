import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { caPins } from '../../api/client/ca-pin.ts';
import { clusterInfoData } from '../../api/client/cluster-info.ts';
import { configMapKind } from '../../api/kinds/config-map.ts';
import { startTestApiServer, TEST_TRUST_DOMAIN, type TestApiServer } from '../../test/support/api-server.ts';
import { discoverCluster } from './discover.ts';
import { JoinRefusedError } from './refusal.ts';

/** An API server that says of itself what `says` makes of the truth. */
async function server(t: TestContext, says: (truth: string) => string = (truth) => truth): Promise<TestApiServer> {
  const api = await startTestApiServer();
  t.after(() => api.close());
  const caPem = says(api.authority.trustBundlePem);
  const info = { server: api.server, caPem, xdsAddress: '127.0.0.1:1', trustDomain: TEST_TRUST_DOMAIN };
  const data = clusterInfoData(info);
  await api.client.create(configMapKind, { metadata: { namespace: 'kube-public', name: 'cluster-info' }, data });
  return api;
}

test('a cluster is believed by the pin of its CA', async (t) => {
  const api = await server(t);
  const pins = caPins(api.authority.trustBundlePem);
  const info = await discoverCluster({ server: api.server, pins });
  assert.deepEqual(info, {
    server: api.server,
    caPem: api.authority.trustBundlePem,
    xdsAddress: '127.0.0.1:1',
    trustDomain: TEST_TRUST_DOMAIN,
  });
});

const wrong = (says: RegExp) => (error: unknown) => error instanceof JoinRefusedError && says.test(error.message);

test('a cluster with another CA is refused with both pins', async (t) => {
  const api = await server(t);
  const pins = [`sha256:${'0'.repeat(64)}`];
  await assert.rejects(
    discoverCluster({ server: api.server, pins }),
    wrong(/its CA is sha256:[0-9a-f]{64}, wanted is sha256:0{64}/),
  );
});

test('an impostor that repeats the true CA cannot show a certificate of it', async (t) => {
  const truth = await server(t);
  const impostor = await server(t, () => truth.authority.trustBundlePem);
  const pins = caPins(truth.authority.trustBundlePem);
  await assert.rejects(discoverCluster({ server: impostor.server, pins }), wrong(/certificate|self-signed|signature/i));
});

test('a CA that somebody adds to the true one is refused', async (t) => {
  const other = await server(t);
  const api = await server(t, (truth) => truth + other.authority.trustBundlePem);
  const pins = caPins(api.authority.trustBundlePem);
  await assert.rejects(discoverCluster({ server: api.server, pins }), wrong(/its CA is sha256:\S+, sha256:/));
});

test('a server without cluster-info, with noise for a CA, or that is not there is refused with what to do', async (t) => {
  const bare = await startTestApiServer();
  t.after(() => bare.close());
  const noisy = await server(t, () => '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
  const pins = caPins(bare.authority.trustBundlePem);
  await assert.rejects(discoverCluster({ server: bare.server, pins }), wrong(/not found|forbidden/));
  await assert.rejects(discoverCluster({ server: noisy.server, pins }), wrong(/cannot be read/));
  await assert.rejects(discoverCluster({ server: 'https://127.0.0.1:1', pins }), wrong(/127.0.0.1:1/));
});
