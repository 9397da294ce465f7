import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { joinCluster, memberCredentials } from '../../agent/join/join.ts';
import type { Membership } from '../../agent/join/membership.ts';
import { JoinRefusedError } from '../../agent/join/refusal.ts';
import { RenewedMembership } from '../../agent/join/renewed-membership.ts';
import { caPins } from '../../api/client/ca-pin.ts';
import { type HttpClient, httpClient } from '../../api/client/http-client.ts';
import { leaseKind } from '../../api/kinds/lease.ts';
import { nodeKind } from '../../api/kinds/node.ts';
import { secretKind } from '../../api/kinds/secret.ts';
import { hasCode } from '../../api/meta/api-error.ts';
import { NODE_CERTIFICATES } from '../../api/meta/well-known.ts';
import { createRequest } from '../../certs/x509/request.ts';
import { publishClusterInfo } from '../../control/cluster-info.ts';
import { systemClock } from '../../kit/clock.ts';
import { FakeClock } from '../../kit/fake-clock.ts';
import { silentLog } from '../../kit/log.ts';
import { seededRandom } from '../../kit/random.ts';
import { startTestApiServer, TEST_TRUST_DOMAIN, type TestApiServer } from '../support/api-server.ts';

const TOKEN = 'abcdef.0123456789abcdef';
const NODE = 'machine';

interface Bench {
  readonly api: TestApiServer;
  readonly stateFolder: string;
  readonly pins: readonly string[];
  /** Joins with the token, or without for one of undefined. */
  readonly join: (token: string | undefined, changes?: Changes) => Promise<Membership | undefined>;
  /** As an agent starts that has joined before. */
  readonly resume: () => Promise<Membership | undefined>;
  readonly client: (membership: Membership) => HttpClient;
}

interface Changes {
  readonly nodeName?: string;
  readonly pins?: readonly string[];
}

async function bench(t: TestContext): Promise<Bench> {
  const started = await startTestApiServer();
  let closing: Promise<void> | undefined;
  const api = { ...started, close: () => (closing ??= started.close()) };
  const stateFolder = await mkdtemp(join(tmpdir(), 'tutti-join-'));
  const clients: HttpClient[] = [];
  t.after(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await api.close();
    await rm(stateFolder, { recursive: true });
  });
  const caPem = api.authority.trustBundlePem;
  const info = { server: api.server, caPem, xdsAddress: '127.0.0.1:1', trustDomain: TEST_TRUST_DOMAIN };
  await publishClusterInfo(api.client, info);
  const [id = '', secret = ''] = TOKEN.split('.');
  await api.client.create(secretKind, {
    metadata: { namespace: 'kube-system', name: `bootstrap-token-${id}` },
    type: 'bootstrap.kubernetes.io/token',
    stringData: { 'token-id': id, 'token-secret': secret, 'usage-bootstrap-authentication': 'true' },
  });
  const ownPins = caPins(caPem);
  const shared = { stateFolder, certificateTtlSeconds: 3600, clock: systemClock(), log: silentLog() };
  return {
    api,
    stateFolder,
    pins: ownPins,
    join: (token, { nodeName = NODE, pins = ownPins } = {}) =>
      joinCluster({ ...shared, nodeName, invitation: { server: api.server, token, pins } }),
    resume: () => joinCluster({ ...shared, nodeName: NODE, invitation: undefined }),
    client: ({ server, caPem: ca, ...membership }) => {
      const credentials = memberCredentials({ server, caPem: ca, ...membership });
      const client = httpClient({ server, caPem: ca, credentials, userAgent: 'test' });
      clients.push(client);
      return client;
    },
  };
}

const refused = (says: RegExp) => (error: unknown) => {
  assert.ok(error instanceof JoinRefusedError, String(error));
  assert.match(error.message, says);
  assert.notEqual(error.hint, '');
  return true;
};

test('a machine joins with a key of its own, is known as its node, and needs the token no more', async (t) => {
  const { api, stateFolder, join: joinWith, resume, client } = await bench(t);
  assert.equal(await resume(), undefined, 'nothing is kept, and nobody has invited it');
  const joined = (await joinWith(TOKEN)) as Membership;
  assert.deepEqual([joined.xdsAddress, joined.trustDomain], ['127.0.0.1:1', TEST_TRUST_DOMAIN]);
  assert.deepEqual((await readdir(stateFolder)).sort(), ['joined-ca.crt', 'joined.json']);
  assert.equal((await stat(join(stateFolder, 'joined.json'))).mode & 0o777, 0o600);
  const node = await client(joined).get(nodeKind, { name: NODE });
  const { fingerprint256 } = new X509Certificate(joined.certificatePem);
  assert.equal(node.metadata.annotations?.[NODE_CERTIFICATES], fingerprint256.replaceAll(':', '').toLowerCase());
  const stored = JSON.stringify(
    await api.client.get(secretKind, { namespace: 'kube-system', name: 'bootstrap-token-abcdef' }),
  );
  assert.equal(stored.includes('PRIVATE KEY'), false);
  await api.client.delete(secretKind, { namespace: 'kube-system', name: 'bootstrap-token-abcdef' });
  assert.deepEqual(await resume(), joined);
  assert.deepEqual(await joinWith(TOKEN), joined, 'the same command again, as a service manager gives it');
});

test('a later start follows the control plane to another address, and goes on while it is away', async (t) => {
  const { api, pins, join: joinWith, resume } = await bench(t);
  const joined = (await joinWith(TOKEN)) as Membership;
  assert.equal(pins.length, 1);
  await publishClusterInfo(api.client, { ...joined, xdsAddress: '127.0.0.1:2' });
  assert.equal((await resume())?.xdsAddress, '127.0.0.1:2');
  await api.close();
  assert.equal((await resume())?.xdsAddress, '127.0.0.1:2');
});

test('an answer that was lost on the way is asked for again with the same key', async (t) => {
  const { api, stateFolder, join: joinWith } = await bench(t);
  const first = (await joinWith(TOKEN)) as Membership;
  // As it was before the answer came: the key alone.
  const spiffeId = `spiffe://${TEST_TRUST_DOMAIN}/tutti/agent/${NODE}`;
  const pending = {
    spiffeId,
    privateKeyPem: first.keyPem,
    csrPem: createRequest(spiffeId, createPrivateKey(first.keyPem)),
  };
  await writeFile(join(stateFolder, 'joining.json'), JSON.stringify(pending));
  await rm(join(stateFolder, 'joined.json'));
  const again = (await joinWith(TOKEN)) as Membership;
  assert.equal(again.keyPem, first.keyPem);
  assert.equal((await api.client.list(nodeKind)).items.length, 1);
});

test('a token that was used, a wrong pin, another name and another cluster are refused with what to do', async (t) => {
  const { stateFolder, pins, join: joinWith } = await bench(t);
  const strange = `sha256:${'0'.repeat(64)}`;
  await assert.rejects(joinWith(TOKEN, { pins: [strange] }), refused(/its CA is sha256:\S+, wanted is sha256:0{64}/));
  await assert.rejects(joinWith(undefined), refused(/has not joined yet, and there is no --token/));
  await assert.rejects(joinWith('zzzzzz.0123456789abcdef'), refused(/join token "zzzzzz" is not known/));
  const joined = await joinWith(TOKEN);
  await assert.rejects(joinWith(TOKEN, { nodeName: 'other' }), refused(/is node "machine"'s, not "other"'s/));
  await assert.rejects(
    joinWith(TOKEN, { pins: [strange] }),
    refused(/has joined the cluster at .*, whose CA is another/),
  );
  assert.deepEqual(JSON.parse(await readFile(join(stateFolder, 'joined.json'), 'utf8')), joined);
  await rm(join(stateFolder, 'joined.json'));
  await assert.rejects(joinWith(TOKEN), refused(/used by node "machine"/));
  assert.equal(pins.length, 1);
  await writeFile(join(stateFolder, 'joined.json'), '{"server":');
  await assert.rejects(joinWith(TOKEN), /joined.json": cannot be read; remove it to join again/);
});

test('a Node that is deleted takes its credentials with it, also those of a connection that stands', async (t) => {
  const { api, join: joinWith, resume, client } = await bench(t);
  const joined = (await joinWith(TOKEN)) as Membership;
  const agent = client(joined);
  const renewLease = () =>
    agent.create(leaseKind, { metadata: { namespace: 'kube-node-lease', name: NODE }, spec: { holderIdentity: NODE } });
  await renewLease();
  await api.client.delete(nodeKind, { name: NODE });
  await assert.rejects(
    renewLease(),
    (error) => hasCode(error, 401) && /was removed, and its credentials/.test(error.message),
  );
  await assert.rejects(agent.create(nodeKind, { metadata: { name: NODE }, spec: {} }), (error) => hasCode(error, 401));
  await assert.rejects(resume(), refused(/node "machine" was removed/));
});

/** Waits out most of a certificate's life on a clock of its own, and gives the one that comes then. */
async function renewed(stateFolder: string, membership: Membership, agent: HttpClient): Promise<Membership> {
  const clock = new FakeClock(membership.issuedAtMs);
  const next = Promise.withResolvers<Membership>();
  const renewing = new RenewedMembership({
    stateFolder,
    membership,
    certificateTtlSeconds: 3600,
    client: agent,
    clock,
    random: seededRandom(1),
    log: silentLog(),
    onRenewed: next.resolve,
  });
  try {
    const before = await readFile(join(stateFolder, 'joined.json'), 'utf8');
    await clock.advance(2500 * 1000);
    assert.equal(await readFile(join(stateFolder, 'joined.json'), 'utf8'), before, 'not before 70 % of its life');
    await clock.advance(500 * 1000);
    return await next.promise;
  } finally {
    await renewing.close();
  }
}

test('the certificate is renewed with a new key; the one before is good once more, and no longer', async (t) => {
  const { stateFolder, join: joinWith, client, resume } = await bench(t);
  const first = (await joinWith(TOKEN)) as Membership;
  const agent = client(first);
  const second = await renewed(stateFolder, first, agent);
  agent.setTrust({ caPem: second.caPem, credentials: memberCredentials(second) });
  const third = await renewed(stateFolder, second, agent);
  assert.equal(new Set([first.keyPem, second.keyPem, third.keyPem]).size, 3);
  const mayAsk = (membership: Membership): Promise<boolean> =>
    client(membership)
      .get(nodeKind, { name: NODE })
      .then(
        () => true,
        (error: unknown) => !hasCode(error, 401),
      );
  assert.deepEqual(await Promise.all([first, second, third].map(mayAsk)), [false, true, true]);
  assert.equal((await resume())?.certificatePem, third.certificatePem);
});

test('when the root of the CA changes, a node has a certificate of the new one at once, not when its time comes', async (t) => {
  const { api, stateFolder, join: joinWith, client } = await bench(t);
  const first = (await joinWith(TOKEN)) as Membership;
  await api.authority.rotateRoot('add');
  await api.authority.rotateRoot('switch');
  const next = Promise.withResolvers<Membership>();
  const renewing = new RenewedMembership({
    stateFolder,
    membership: first,
    certificateTtlSeconds: 3600,
    client: client(first),
    // A clock that stands still: only being told can move it on.
    clock: new FakeClock(first.issuedAtMs),
    random: seededRandom(1),
    log: silentLog(),
    onRenewed: next.resolve,
  });
  renewing.renewNow();
  const second = await next.promise;
  await renewing.close();
  const roots = second.caPem.match(/-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/g) ?? [];
  assert.equal(roots.length, 2, 'both roots are trusted until the first is retired');
  const issuerOf = (pem: string): number =>
    roots.findIndex((root) => new X509Certificate(pem).verify(new X509Certificate(root).publicKey));
  assert.notEqual(issuerOf(second.certificatePem), -1);
  assert.notEqual(issuerOf(second.certificatePem), issuerOf(first.certificatePem));
});
