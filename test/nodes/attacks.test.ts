import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { configMapKind } from '../../api/kinds/config-map.ts';
import { nodeKind } from '../../api/kinds/node.ts';
import { podKind } from '../../api/kinds/pod.ts';
import { secretKind } from '../../api/kinds/secret.ts';
import { serviceAccountKind } from '../../api/kinds/service-account.ts';
import { createKeyAndCsr } from '../../certs/workload/key-and-csr.ts';
import { type Answer, type Caller, caller } from '../../control/server/testing/caller.ts';
import { podDraft } from '../../control/server/testing/drafts.ts';
import { startTestApiServer, TEST_TRUST_DOMAIN, type TestApiServer } from '../support/api-server.ts';
import { needs, program } from '../support/programs.ts';

const NODES = '/apis/tutti.dev/v1alpha1/nodecertificaterequests';
const SVIDS = '/apis/tutti.dev/v1alpha1/svidrequests';
let api: TestApiServer;
let stranger: Caller;
/** The agent of node `a`, which the control plane of its own state folder gave its credentials. */
let agent: Caller;

before(async () => {
  api = await startTestApiServer();
  const ca = api.authority.trustBundlePem;
  stranger = caller(api.server, ca);
  agent = caller(api.server, ca, api.authority.issueClient({ user: 'system:node:a', groups: ['system:nodes'] }));
  await api.client.create(nodeKind, { metadata: { name: 'a' }, spec: {} });
  await api.client.create(nodeKind, { metadata: { name: 'b' }, spec: {} });
  for (const name of ['web', 'cart'])
    await api.client.create(serviceAccountKind, { metadata: { name, namespace: 'default' } });
});

after(async () => {
  await Promise.all([stranger.close(), agent.close()]);
  await api.close();
});

let tokens = 0;

async function newToken(data: Readonly<Record<string, string>> = {}): Promise<string> {
  const id = `tok${String(++tokens).padStart(3, '0')}`;
  await api.client.create(secretKind, {
    metadata: { namespace: 'kube-system', name: `bootstrap-token-${id}` },
    type: 'bootstrap.kubernetes.io/token',
    stringData: {
      'token-id': id,
      'token-secret': '0123456789abcdef',
      'usage-bootstrap-authentication': 'true',
      ...data,
    },
  });
  return `${id}.0123456789abcdef`;
}

const spiffeId = (path: string): string => `spiffe://${TEST_TRUST_DOMAIN}/${path}`;

function joinAs(token: string | undefined, nodeName: string, csr: string, by = stranger): Promise<Answer> {
  const body = {
    apiVersion: 'tutti.dev/v1alpha1',
    kind: 'NodeCertificateRequest',
    metadata: {},
    spec: { nodeName, csr },
  };
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return by.call(NODES, { method: 'POST', body, headers });
}

const csrOf = (path: string): string => createKeyAndCsr(spiffeId(path)).csrPem;

function refused(answer: Answer, code: number, why: RegExp): void {
  assert.equal(answer.code, code, answer.text);
  assert.match(answer.json['message'] as unknown as string, why);
  assert.doesNotMatch(answer.text, /BEGIN CERTIFICATE-/);
}

interface Attack {
  readonly token?: () => Promise<string | undefined>;
  readonly node?: string;
  readonly csr?: () => string;
  readonly by?: () => Caller;
  readonly code: number;
  readonly why: RegExp;
}

const joins: Readonly<Record<string, Attack>> = {
  'without a token': { token: async () => undefined, code: 403, why: /"system:anonymous" cannot create/ },
  'with an unknown token': {
    token: async () => 'zzzzzz.0123456789abcdef',
    code: 401,
    why: /token "zzzzzz" is not known/,
  },
  "with a known token's id and another secret": {
    token: async () => `${(await newToken()).slice(0, 7)}fedcba9876543210`,
    code: 401,
    why: /token "tok\d+" is not known/,
  },
  'with an expired token': {
    token: () => newToken({ expiration: '2020-01-01T00:00:00Z' }),
    code: 401,
    why: /has expired at 2020-01-01T00:00:00Z; make another/,
  },
  'with text for a token': { token: async () => 'let-me-in', code: 401, why: /^Unauthorized$/ },
  'with text for a request': { csr: () => 'please', code: 422, why: /certificate request in PEM/ },
  'with a request of 9 KB': {
    csr: () => `-----BEGIN CERTIFICATE REQUEST-----\n${'A'.repeat(9000)}`,
    code: 422,
    why: /spec.csr: .*8192/,
  },
  'with a request of 4 MB': { csr: () => 'A'.repeat(4 * 1024 * 1024), code: 413, why: /./ },
  'with a request that is cut off': { csr: () => csrOf('tutti/agent/new').slice(0, 200), code: 422, why: /malformed/ },
  "with another node's request": {
    csr: () => csrOf('tutti/agent/b'),
    code: 422,
    why: /asks for .*agent\/b.*wrong-identity/,
  },
  'as the control plane': { csr: () => csrOf('tutti/control'), code: 422, why: /tutti\/control.*wrong-identity/ },
  'by a name that is no name': { node: '../a', code: 422, why: /nodeName/ },
  'by a name of 60 letters': { node: 'n'.repeat(60), code: 422, why: /nodeName/ },
  "by a node, for another's certificate": {
    token: async () => undefined,
    by: () => agent,
    node: 'b',
    csr: () => csrOf('tutti/agent/b'),
    code: 403,
    why: /node "a" asks for the certificate of node "b"/,
  },
  'by a node that did not join': {
    token: async () => undefined,
    by: () => agent,
    node: 'a',
    csr: () => csrOf('tutti/agent/a'),
    code: 403,
    why: /written by the control plane of its own state folder/,
  },
};
for (const [what, { token = newToken, node = 'new', csr, by, code, why }] of Object.entries(joins)) {
  test(`joining ${what} is refused: ${code}`, async () => {
    const request = csr?.() ?? csrOf(`tutti/agent/${node}`);
    refused(await joinAs(await token(), node, request, by?.() ?? stranger), code, why);
    assert.equal(
      (await api.client.list(nodeKind)).items.some(({ metadata }) => metadata.name === 'new'),
      false,
    );
  });
}

test('requests of OpenSSL for more than a node is are refused, each with its reason', needs('openssl'), async () => {
  const make = (...args: readonly string[]): string =>
    execFileSync(program('openssl'), ['req', '-new', '-nodes', '-keyout', '/dev/null', ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const own = ['-subj', '/O=system:nodes/CN=system:node:new'];
  const token = await newToken();
  for (const [csr, why] of [
    [make(...ec, '-subj', '/O=system:masters/CN=admin'), /O="system:masters".*wrong-identity/],
    [make(...ec, ...own, '-addext', 'basicConstraints=critical,CA:TRUE'), /certificate authority.*too-much/],
    [make(...ec, ...own, '-addext', 'subjectAltName=DNS:kubernetes,IP:127.0.0.1'), /"kubernetes".*wrong-identity/],
    [make('-newkey', 'rsa:1024', ...own), /unsupported-key/],
  ] as const) {
    refused(await joinAs(token, 'new', csr), 422, why);
  }
  // None of these used the token up.
  assert.equal((await joinAs(token, 'new', make(...ec, ...own))).code, 201);
  await api.client.delete(nodeKind, { name: 'new' });
});

test('a token lets one node in: whoever replays it is refused, and is told who was first', async () => {
  const token = await newToken();
  const csr = csrOf('tutti/agent/first');
  assert.equal((await joinAs(token, 'first', csr)).code, 201);
  assert.equal((await joinAs(token, 'first', csr)).code, 201, 'the same key again: its answer was lost');
  refused(
    await joinAs(token, 'first', csrOf('tutti/agent/first')),
    403,
    /used by node "first" at .*; each lets one node in/,
  );
  refused(await joinAs(token, 'second', csrOf('tutti/agent/second')), 403, /used by node "first"/);
});

test('of many that come with one token at once, one is let in', async () => {
  const token = await newToken();
  const names = Array.from({ length: 8 }, (_, at) => `rush-${at}`);
  const answers = await Promise.all(names.map((name) => joinAs(token, name, csrOf(`tutti/agent/${name}`))));
  assert.deepEqual(
    answers.map(({ code }) => code).toSorted((left, right) => left - right),
    [201, ...Array.from({ length: 7 }, () => 403)],
  );
  const { items } = await api.client.list(nodeKind);
  assert.equal(items.filter(({ metadata }) => metadata.name.startsWith('rush-')).length, 1);
});

test("a living node's name is not given to another", async () => {
  const ready = { type: 'Ready', status: 'True' } as const;
  await api.client.patch(
    nodeKind,
    { name: 'b' },
    { status: { conditions: [ready] } },
    { type: 'merge', subresource: 'status' },
  );
  refused(
    await joinAs(await newToken(), 'b', csrOf('tutti/agent/b')),
    409,
    /node "b" is there, with other credentials/,
  );
});

test('a token is good for joining alone', async () => {
  const token = await newToken({ 'auth-extra-groups': 'system:masters' });
  const headers = { authorization: `Bearer ${token}` };
  for (const path of ['/api/v1/nodes', '/api/v1/namespaces/kube-system/secrets', '/api/v1/pods'])
    assert.equal((await stranger.call(path, { headers })).code, 403, path);
  assert.equal(
    (await stranger.call(SVIDS, { method: 'POST', headers, body: svidBody(csrOf('ns/default/sa/web')) })).code,
    403,
  );
});

test('anybody may read cluster-info, and nothing else of kube-public', async () => {
  for (const name of ['cluster-info', 'other'])
    await api.client.create(configMapKind, { metadata: { namespace: 'kube-public', name }, data: { x: 'y' } });
  assert.equal((await stranger.call('/api/v1/namespaces/kube-public/configmaps/cluster-info')).code, 200);
  for (const path of ['kube-public/configmaps/other', 'kube-public/configmaps', 'default/configmaps/cluster-info'])
    assert.equal((await stranger.call(`/api/v1/namespaces/${path}`)).code, 403, path);
});

test('an agent reads the Secrets that its own pods name, and no other', async () => {
  const secret = (name: string) =>
    api.client.create(secretKind, { metadata: { namespace: 'default', name }, type: 'Opaque', stringData: { k: 'v' } });
  for (const name of ['volume', 'variable', 'projected', 'elsewhere', 'unnamed']) await secret(name);
  const env = [{ name: 'K', valueFrom: { secretKeyRef: { name: 'variable', key: 'k' } } }];
  await api.client.create(
    podKind,
    podDraft('reader', {
      nodeName: 'a',
      containers: [{ name: 'app', image: 'x', env }],
      volumes: [
        { name: 'v', secret: { secretName: 'volume' } },
        { name: 'p', projected: { sources: [{ secret: { name: 'projected' } }] } },
      ],
    } as never),
  );
  const volumes = [{ name: 'v', secret: { secretName: 'elsewhere' } }];
  await api.client.create(podKind, podDraft('other-reader', { nodeName: 'b', volumes } as never));
  const at = '/api/v1/namespaces/default/secrets';
  for (const name of ['volume', 'variable', 'projected']) {
    assert.equal((await agent.call(`${at}/${name}`)).code, 200, name);
    assert.equal((await agent.call(`${at}?fieldSelector=metadata.name%3D${name}`)).code, 200, name);
  }
  for (const path of [
    `${at}/elsewhere`,
    `${at}/unnamed`,
    at,
    '/api/v1/secrets',
    '/api/v1/secrets?fieldSelector=metadata.name%3Dvolume',
    `${at}?fieldSelector=metadata.name%3Dunnamed`,
    `${at}?fieldSelector=metadata.name!%3Dvolume`,
    `${at}?watch=1&fieldSelector=type%3DOpaque`,
  ])
    refused(await agent.call(path), 403, /no pod on node "a" names it|one by one/);
});

function svidBody(csr: string): object {
  return { apiVersion: 'tutti.dev/v1alpha1', kind: 'SvidRequest', metadata: {}, spec: { csr } };
}

async function podToken(pod: string, account: string, node = 'a'): Promise<{ token: string; uid: string }> {
  const made = await api.client.create(podKind, podDraft(pod, { nodeName: node, serviceAccountName: account }));
  const { uid } = made.metadata;
  const spec = {
    audiences: ['tutti'],
    expirationSeconds: 3600,
    boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod, uid },
  };
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', metadata: {}, spec };
  const answer = await agent.call(`/api/v1/namespaces/default/serviceaccounts/${account}/token`, {
    method: 'POST',
    body,
  });
  return { token: (answer.json['status']?.['token'] as unknown as string | undefined) ?? answer.text, uid };
}

const askSvid = (token: string, csr: string): Promise<Answer> =>
  stranger.call(SVIDS, { method: 'POST', body: svidBody(csr), headers: { authorization: `Bearer ${token}` } });

test("a workload that asks for another's identity is refused, and gets its own", async () => {
  const { token } = await podToken('web-1', 'web');
  assert.equal((await askSvid(token, csrOf('ns/default/sa/web'))).code, 201);
  for (const path of ['ns/default/sa/cart', 'ns/other/sa/web', 'tutti/control', 'tutti/agent/a'])
    refused(
      await askSvid(token, csrOf(path)),
      422,
      /asks for .*its sender is "spiffe:\/\/test.local\/ns\/default\/sa\/web"/,
    );
  refused(
    await joinAs(token, 'new', csrOf('tutti/agent/new')),
    403,
    /cannot create resource "nodecertificaterequests"/,
  );
});

test("a pod's token ends with the pod, also when another of its name comes", async () => {
  const { token, uid } = await podToken('web-2', 'web');
  const ref = { namespace: 'default', name: 'web-2' };
  await api.client.delete(podKind, ref, { gracePeriodSeconds: 0 });
  refused(await askSvid(token, csrOf('ns/default/sa/web')), 401, /pod default\/web-2 is gone/);
  const again = await podToken('web-2', 'web');
  assert.notEqual(again.uid, uid);
  refused(await askSvid(token, csrOf('ns/default/sa/web')), 401, /pod default\/web-2 is gone/);
  assert.equal((await askSvid(again.token, csrOf('ns/default/sa/web'))).code, 201);
});

test('an agent gets no token for a pod of another node, nor one of another account or of a pod that was there before', async () => {
  assert.match((await podToken('web-3', 'web', 'b')).token, /scheduled on a different node/);
  const { uid } = await podToken('web-4', 'web');
  const ask = (account: string, boundObjectRef: object) =>
    agent.call(`/api/v1/namespaces/default/serviceaccounts/${account}/token`, {
      method: 'POST',
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        metadata: {},
        spec: { audiences: [], boundObjectRef },
      },
    });
  const reference = { apiVersion: 'v1', kind: 'Pod', name: 'web-4', uid };
  refused(await ask('cart', reference), 400, /different serviceaccount/);
  refused(
    await ask('web', { ...reference, uid: '00000000-0000-4000-8000-000000000000' }),
    409,
    /UID in the bound object/,
  );
});

test('a token that is changed, cut or signed by nobody is refused, and nothing is told of why', async () => {
  const { token } = await podToken('web-5', 'web');
  const [header = '', payload = '', signature = ''] = token.split('.');
  const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
  const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'system:serviceaccount:default:cart' })).toString(
    'base64url',
  );
  for (const bad of [
    `${none}.${payload}.`,
    `${header}.${forged}.${signature}`,
    `${header}.${payload}`,
    token.slice(0, -4),
    `${token}.${token}`,
  ])
    refused(await askSvid(bad, csrOf('ns/default/sa/web')), 401, /^Unauthorized$/);
});
