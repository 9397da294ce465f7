import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Agent, request } from 'undici';
import { configMapKind } from '../../api/kinds/config-map.ts';
import { podKind } from '../../api/kinds/pod.ts';
import { serviceAccountKind } from '../../api/kinds/service-account.ts';
import { openAuthority } from '../../certs/authority/authority.ts';
import { createKeyAndCsr } from '../../certs/workload/key-and-csr.ts';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { startTestApiServer, TEST_TRUST_DOMAIN, type TestApiServer } from '../../test/support/api-server.ts';
import { eventually } from '../../test/support/eventually.ts';
import { type Caller, caller } from './testing/caller.ts';
import { configMapDraft, podDraft } from './testing/drafts.ts';

let api: TestApiServer;
let admin: Caller;
let agent: Caller;
let nobody: Caller;

before(async () => {
  api = await startTestApiServer({ maxWatches: 3 });
  const ca = api.authority.trustBundlePem;
  admin = caller(api.server, ca, api.admin);
  agent = caller(api.server, ca, api.authority.issueClient({ user: 'system:node:a', groups: ['system:nodes'] }));
  nobody = caller(api.server, ca);
});

after(async () => {
  await Promise.all([admin.close(), agent.close(), nobody.close()]);
  await api.close();
});

test('anyone may see that the server is well, and nothing else', async () => {
  for (const path of ['/healthz', '/livez', '/readyz']) assert.equal((await nobody.call(path)).text, 'ok');
  assert.match((await nobody.call('/version')).json['gitVersion'] as unknown as string, /^v1\.34\.\d+/);
  const refused = await nobody.call('/api/v1/secrets');
  assert.equal(refused.code, 403);
  assert.equal(
    refused.json['message'],
    'secrets is forbidden: User "system:anonymous" cannot list resource "secrets" in API group "" at the cluster scope',
  );
});

test('a certificate of another authority is no identity, and not anonymous either', async () => {
  const other = await openAuthority({
    folder: `${api.folder}/other-ca`,
    trustDomain: TEST_TRUST_DOMAIN,
    clock: systemClock(),
    log: silentLog(),
  });
  const stranger = caller(
    api.server,
    api.authority.trustBundlePem,
    other.issueClient({ user: 'admin', groups: ['system:masters'] }),
  );
  for (const path of ['/healthz', '/api/v1/secrets']) assert.equal((await stranger.call(path)).code, 401);
  await stranger.close();
});

test('a server certificate is shown to the CA that clients know', async () => {
  const blind = new Agent({ connect: { ca: 'not a CA' } });
  await assert.rejects(request(`${api.server}/healthz`, { dispatcher: blind }));
  await blind.close();
});

const TOKEN_REQUEST = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest' };

async function podWithAccount(name: string, nodeName: string): Promise<{ uid: string }> {
  await api.client.create(serviceAccountKind, { metadata: { name, namespace: 'default' } });
  const pod = await api.client.create(podKind, podDraft(name, { serviceAccountName: name, nodeName }));
  return { uid: pod.metadata.uid };
}

function tokenPath(name: string): string {
  return `/api/v1/namespaces/default/serviceaccounts/${name}/token`;
}

function boundTo(name: string, uid: string, extra: object = {}): object {
  return {
    ...TOKEN_REQUEST,
    spec: { audiences: ['tutti'], boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid }, ...extra },
  };
}

test('a token names its account, gets an SVID for it, and ends with the pod it is bound to', async () => {
  const { uid } = await podWithAccount('web', 'a');
  const asked = await agent.call(tokenPath('web'), { method: 'POST', body: boundTo('web', uid) });
  assert.equal(asked.code, 201, asked.text);
  const token = asked.json['status']?.['token'] as unknown as string;
  const headers = { authorization: `Bearer ${token}` };

  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const reviews = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
  const who = await nobody.call(reviews, { method: 'POST', body: review, headers });
  assert.equal(who.json['status']?.['userInfo']?.['username'], 'system:serviceaccount:default:web');
  assert.equal((await nobody.call('/api/v1/pods', { headers })).code, 403);

  const { csrPem } = createKeyAndCsr(`spiffe://${TEST_TRUST_DOMAIN}/ns/default/sa/web`);
  const svid = { apiVersion: 'tutti.dev/v1alpha1', kind: 'SvidRequest', spec: { csr: csrPem, ttlSeconds: 600 } };
  const svids = '/apis/tutti.dev/v1alpha1/svidrequests';
  const signed = await nobody.call(svids, { method: 'POST', body: svid, headers });
  assert.equal(signed.code, 201, signed.text);
  assert.match(String(signed.json['status']?.['certificateChain']), /BEGIN CERTIFICATE/);

  const another = createKeyAndCsr(`spiffe://${TEST_TRUST_DOMAIN}/ns/default/sa/admin`).csrPem;
  const stolen = await nobody.call(svids, { method: 'POST', body: { ...svid, spec: { csr: another } }, headers });
  assert.deepEqual([stolen.code, stolen.json['reason']], [422, 'Invalid']);
  assert.equal((await admin.call(svids, { method: 'POST', body: svid })).code, 403);

  const tokenReview = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token, audiences: ['tutti'] },
  };
  const tokenReviews = '/apis/authentication.k8s.io/v1/tokenreviews';
  const reviewed = await agent.call(tokenReviews, { method: 'POST', body: tokenReview });
  assert.equal(reviewed.json['status']?.['authenticated'], true);
  assert.equal(reviewed.text.includes(token), false);

  await api.client.delete(podKind, { namespace: 'default', name: 'web' }, { gracePeriodSeconds: 0 });
  assert.equal((await nobody.call(reviews, { method: 'POST', body: review, headers })).code, 401);
});

test('an agent gets tokens for pods of its own node alone, and only bound ones', async () => {
  const { uid } = await podWithAccount('elsewhere', 'b');
  const ask = (body: object) => agent.call(tokenPath('elsewhere'), { method: 'POST', body });
  assert.equal((await ask(boundTo('elsewhere', uid))).code, 403);
  assert.equal((await ask(TOKEN_REQUEST)).code, 403);
  const byAdmin = (body: object) => admin.call(tokenPath('elsewhere'), { method: 'POST', body });
  assert.equal((await byAdmin(boundTo('elsewhere', 'another-uid'))).code, 409);
  assert.equal((await byAdmin(boundTo('missing', ''))).code, 404);
  assert.equal((await byAdmin(boundTo('elsewhere', uid, { expirationSeconds: 5 }))).code, 422);
  await api.client.create(serviceAccountKind, { metadata: { name: 'other', namespace: 'default' } });
  assert.equal((await admin.call(tokenPath('other'), { method: 'POST', body: boundTo('elsewhere', uid) })).code, 400);
});

test('only administrators may act as others', async () => {
  const headers = { 'impersonate-user': 'jane' };
  assert.match((await admin.call('/api/v1/pods', { headers })).text, /User \\"jane\\" cannot list/);
  const refused = await agent.call('/api/v1/pods', { headers });
  assert.match(refused.text, /User \\"system:node:a\\" cannot impersonate/);
});

test('what is not served is a Status, whatever the method', async () => {
  const cases: readonly (readonly [path: string, method: 'GET' | 'POST' | 'PUT' | 'DELETE', code: number])[] = [
    ['/foo', 'GET', 404],
    ['/api/v1/foos', 'GET', 404],
    ['/api/v2/pods', 'GET', 404],
    ['/api/v1/namespaces/default/nodes', 'GET', 404],
    ['/api/v1/namespaces/default/pods/x/foo', 'GET', 404],
    ['/api/v1/namespaces/default/configmaps/x/status', 'GET', 404],
    ['/api/v1/namespaces/default/pods/missing', 'GET', 404],
    ['/api/v1/namespaces/default/pods/x', 'POST', 405],
    ['/api/v1/namespaces/default/pods', 'PUT', 405],
    ['/apis/metrics.k8s.io/v1beta1/nodes', 'DELETE', 405],
    ['/apis/tutti.dev/v1alpha1/svidrequests', 'GET', 405],
    ['/api/v1/namespaces/default/pods/a%2Fb', 'GET', 400],
  ];
  for (const [path, method, code] of cases) {
    const answer = await admin.call(path, { method, ...(method === 'GET' || method === 'DELETE' ? {} : { body: {} }) });
    assert.equal(answer.code, code, `${method} ${path}: ${answer.text}`);
    assert.deepEqual([answer.json['kind'], answer.json['status'], answer.json['code']], ['Status', 'Failure', code]);
  }
});

test('a body over 3 MiB is refused with 413, and one that nobody may send is not read', async () => {
  const body = JSON.stringify({ data: 'x'.repeat(3 * 1024 * 1024) });
  const path = '/api/v1/namespaces/default/configmaps';
  assert.equal((await admin.call(path, { method: 'POST', body })).code, 413);
  assert.equal((await admin.call(path, { method: 'POST', body: 'not JSON' })).code, 400);
  assert.equal((await nobody.call(path, { method: 'POST', body: 'not JSON' })).code, 403);
});

test('a manifest may come as YAML, and an answer leave as YAML', async () => {
  const body = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yaml}\ndata: {a: "1"}\n';
  const made = await admin.call('/api/v1/namespaces/default/configmaps', {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/yaml', accept: 'application/yaml' },
  });
  assert.equal(made.code, 201);
  assert.match(made.text, /^apiVersion: v1$/m);
  assert.match(String(made.headers['content-type']), /yaml/);
});

test('duplicate and unknown fields are refused, warned of or dropped, as fieldValidation says', async () => {
  const body = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"d","name":"dup"},"dat":{},"data":{}}';
  const send = (validation: string) =>
    admin.call(`/api/v1/namespaces/default/configmaps?dryRun=All${validation}`, { method: 'POST', body });
  const strict = await send('&fieldValidation=Strict');
  assert.equal(strict.code, 400);
  assert.match(strict.text, /strict decoding error: duplicate field \\"metadata.name\\"/);
  const warned = await send('');
  assert.equal(warned.code, 201);
  assert.deepEqual([warned.headers['warning']].flat(), [
    '299 - "duplicate field \\"metadata.name\\""',
    '299 - "unknown field \\"dat\\""',
  ]);
  const ignored = await send('&fieldValidation=Ignore');
  assert.deepEqual([ignored.code, ignored.headers['warning']], [201, undefined]);
});

test('rows of a table carry as much of the object as is asked for', async () => {
  await api.client.create(configMapKind, configMapDraft('table', { a: '1' }));
  const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' };
  const get = async (include: string) =>
    (await admin.call(`/api/v1/namespaces/default/configmaps/table${include}`, { headers })).json;
  const table = await get('');
  assert.deepEqual(
    [table['kind'], table['columnDefinitions']?.map(({ name }) => name), table['rows']?.[0]?.['cells']?.slice(0, 2)],
    ['Table', ['Name', 'Data', 'Age'], ['table', 1]],
  );
  assert.equal(table['rows']?.[0]?.['object']?.['kind'], 'PartialObjectMetadata');
  assert.equal((await get('?includeObject=None'))['rows']?.[0]?.['object'], null);
  assert.equal((await get('?includeObject=Object'))['rows']?.[0]?.['object']?.['kind'], 'ConfigMap');
  assert.equal((await get('?includeObject=Half'))['code'], 400);
});

test('metadata alone is served to who asks for no more', async () => {
  await api.client.create(configMapKind, configMapDraft('meta', { a: '1' }));
  const headers = { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' };
  const { json } = await admin.call('/api/v1/namespaces/default/configmaps', { headers });
  assert.equal(json['kind'], 'PartialObjectMetadataList');
  assert.ok((json['items'] ?? []).every((item) => item['data'] === undefined));
});

test('unknown patches are refused with 415 and what is taken', async () => {
  await api.client.create(configMapKind, configMapDraft('patched'));
  const path = '/api/v1/namespaces/default/configmaps/patched';
  for (const type of ['application/cbor', 'application/json']) {
    const answer = await admin.call(path, { method: 'PATCH', body: {}, headers: { 'content-type': type } });
    assert.equal(answer.code, 415);
    assert.match(answer.text, /application\/strategic-merge-patch\+json/);
  }
});

test('discovery of both kinds tells of the same resources, and each resource that it tells of answers', async () => {
  const headers = { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' };
  const told: string[] = [];
  for (const root of ['/api', '/apis']) {
    const { json, headers: answered } = await admin.call(root, { headers });
    assert.match(String(answered['content-type']), /as=APIGroupDiscoveryList/);
    for (const group of json['items'] ?? []) {
      for (const version of group['versions'] ?? []) {
        const name = group['metadata']?.['name'] as unknown as string | undefined;
        const place =
          name === undefined ? `/api/${String(version['version'])}` : `/apis/${name}/${String(version['version'])}`;
        for (const resource of version['resources'] ?? []) {
          told.push(`${place} ${String(resource['resource'])}`);
          for (const each of resource['subresources'] ?? []) {
            told.push(`${place} ${String(resource['resource'])}/${String(each['subresource'])}`);
          }
        }
      }
    }
  }
  const legacy: string[] = [];
  const { json: groups } = await admin.call('/apis');
  const versions = (groups['groups'] ?? []).flatMap((group) => [...(group['versions'] ?? [])]);
  for (const place of ['/api/v1', ...versions.map((version) => `/apis/${String(version['groupVersion'])}`)]) {
    const { json } = await admin.call(place);
    for (const resource of json['resources'] ?? []) {
      legacy.push(`${place} ${String(resource['name'])}`);
      const verbs = (resource['verbs'] ?? []) as unknown as readonly string[];
      if (verbs.includes('list')) {
        const answer = await admin.call(`${place}/${String(resource['name'])}?limit=1`);
        assert.equal(answer.code, 200, `${place}/${String(resource['name'])}`);
        assert.ok(Array.isArray(answer.json['items']));
      }
    }
  }
  assert.deepEqual(legacy.sort(), told.sort());
  assert.ok(told.includes('/apis/apps/v1 deployments/scale') && told.includes('/api/v1 serviceaccounts/token'));
});

test('the OpenAPI index names documents by their hash, and every kind is in one with its extensions', async () => {
  const { json: index } = await admin.call('/openapi/v3');
  const paths = index['paths'] as unknown as Record<string, { serverRelativeURL: string }>;
  assert.ok(Object.keys(paths).includes('apis/gateway.networking.k8s.io/v1'));
  const { json: apps } = await admin.call(paths['apis/apps/v1']?.serverRelativeURL ?? '');
  const schema = apps['components']?.['schemas']?.['io.k8s.api.apps.v1.Deployment'];
  assert.deepEqual(schema?.['x-kubernetes-group-version-kind'], [{ group: 'apps', version: 'v1', kind: 'Deployment' }]);
  const podSpec = schema?.['properties']?.['spec']?.['properties']?.['template']?.['properties']?.['spec'];
  assert.equal(podSpec?.['properties']?.['containers']?.['x-kubernetes-patch-merge-key'], 'name');
  const patch = apps['paths']?.['/apis/apps/v1/namespaces/{namespace}/deployments/{name}']?.['patch'];
  assert.ok(patch?.['requestBody']?.['content']?.['application/strategic-merge-patch+json']);
  assert.ok(patch?.['parameters']?.some(({ name }) => String(name) === 'fieldValidation'));
  assert.equal((await admin.call('/openapi/v3/apis/none/v1')).code, 404);
});

test('there are no more watches than the server allows, and each that ends makes room', async () => {
  const dispatcher = new Agent({
    connect: {
      ca: api.authority.trustBundlePem,
      cert: api.admin.certificateChainPem,
      key: api.admin.privateKeyPem,
    },
  });
  const path = `${api.server}/api/v1/configmaps?watch=1`;
  const open = await Promise.all([1, 2, 3].map(() => request(path, { dispatcher })));
  const refused = await admin.call('/api/v1/configmaps?watch=1');
  assert.deepEqual([refused.code, refused.headers['retry-after']], [429, '5']);
  for (const { body } of open) body.on('error', () => undefined).destroy();
  const room = await eventually('a watch is let in', async () => {
    const answer = await request(`${path}&timeoutSeconds=1&resourceVersion=1`, { dispatcher });
    await answer.body.text();
    return answer.statusCode === 200 ? answer : undefined;
  });
  assert.equal(room.statusCode, 200);
  await dispatcher.close();
});

test('a watch that is refused is refused as an answer, and one that is too old as an event', async () => {
  const bad = await admin.call('/api/v1/configmaps?watch=1&fieldSelector=a%3Db');
  assert.equal(bad.code, 400);
  await api.client.create(configMapKind, configMapDraft('newer'));
  await api.store.compact(await api.store.revision());
  const old = await admin.call('/api/v1/configmaps?watch=1&resourceVersion=1');
  assert.deepEqual([old.code, old.json['type'], old.json['object']?.['code']], [200, 'ERROR', 410]);
});
