import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { configMapKind } from '../../api/kinds/config-map.ts';
import { deploymentKind } from '../../api/kinds/deployment.ts';
import { startTestApiServer, type TestApiServer } from '../../test/support/api-server.ts';
import { type Caller, type CallOptions, caller, type Json } from './testing/caller.ts';
import { configMapDraft, deploymentDraft } from './testing/drafts.ts';

let api: TestApiServer;
let admin: Caller;

before(async () => {
  api = await startTestApiServer();
  admin = caller(api.server, api.authority.trustBundlePem, api.admin);
  await api.client.create(configMapKind, configMapDraft('there', { a: '1' }));
  await api.client.create(deploymentKind, deploymentDraft('web'));
});

after(async () => {
  await admin.close();
  await api.close();
});

const MAPS = '/api/v1/namespaces/default/configmaps';
const WEB = '/apis/apps/v1/namespaces/default/deployments/web';
const MERGE = { 'content-type': 'application/merge-patch+json' };
const APPLY = { 'content-type': 'application/apply-patch+yaml' };
const map = (name: string, more: object = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, ...more });

type Row = readonly [what: string, path: string, options: CallOptions, code: number, words: RegExp];

const refusals: readonly Row[] = [
  [
    'a match without a version',
    `${MAPS}?resourceVersionMatch=Exact`,
    {},
    422,
    /forbidden unless resourceVersion is provided/,
  ],
  ['an unknown match', `${MAPS}?resourceVersionMatch=Near&resourceVersion=1`, {}, 422, /supported values/i],
  [
    'an exact match of 0',
    `${MAPS}?resourceVersionMatch=Exact&resourceVersion=0`,
    {},
    422,
    /forbidden for resourceVersion "0"/,
  ],
  [
    'a match beside a token',
    `${MAPS}?continue=x&resourceVersionMatch=Exact&resourceVersion=1`,
    {},
    422,
    /forbidden when continue is provided/,
  ],
  ['a version beside a token', `${MAPS}?continue=x&resourceVersion=1`, {}, 400, /not allowed when using continue/],
  ['a token of another making', `${MAPS}?continue=x`, {}, 400, /continue key is not valid/],
  ['a version that is none', `${MAPS}?resourceVersion=abc`, {}, 400, /Invalid value: "abc"/],
  ['a version to come', `${MAPS}?resourceVersion=99999999`, {}, 504, /Too large resource version/],
  ['initial events of a list', `${MAPS}?sendInitialEvents=true`, {}, 422, /forbidden for list/],
  [
    'initial events without a match',
    `${MAPS}?watch=1&sendInitialEvents=true`,
    {},
    422,
    /requires setting resourceVersionMatch to NotOlderThan/,
  ],
  [
    'a match of a watch',
    `${MAPS}?watch=1&resourceVersionMatch=NotOlderThan&resourceVersion=1`,
    {},
    422,
    /unless sendInitialEvents/,
  ],
  ['a limit that is no number', `${MAPS}?limit=many`, {}, 400, /limit/],
  ['a broken label selector', `${MAPS}?labelSelector=a%20in%20b`, {}, 400, /unable to parse requirement/],
  [
    'a field that none can select by',
    `${MAPS}?fieldSelector=data%3Dx`,
    {},
    400,
    /"data" is not a known field selector/,
  ],
  ['a dry run of some', `${MAPS}?dryRun=Some`, { method: 'POST', body: map('x') }, 422, /supported values: "All"/],
  ['an unknown validation', `${MAPS}?fieldValidation=Lax`, { method: 'POST', body: map('x') }, 422, /supported values/],
  [
    'a manager of 129 bytes',
    `${MAPS}?fieldManager=${'m'.repeat(129)}`,
    { method: 'POST', body: map('x') },
    422,
    /fieldManager: Too long/,
  ],
  [
    'a manager that cannot be printed',
    `${MAPS}?fieldManager=a%07`,
    { method: 'POST', body: map('x') },
    422,
    /invalid character/,
  ],
  [
    'an apply without a manager',
    `${MAPS}/x`,
    { method: 'PATCH', body: map('x'), headers: APPLY },
    422,
    /fieldManager: Required value: is required for apply patch/,
  ],
  [
    'force without an apply',
    `${MAPS}/there?force=true`,
    { method: 'PATCH', body: {}, headers: MERGE },
    422,
    /force: Forbidden: may not be specified for non-apply patch/,
  ],
  ['a create of what is there', MAPS, { method: 'POST', body: map('there') }, 409, /configmaps "there" already exists/],
  [
    'a create with a version',
    MAPS,
    { method: 'POST', body: map('x', { metadata: { name: 'x', resourceVersion: '1' } }) },
    400,
    /resourceVersion should not be set/,
  ],
  ['a create without a name', MAPS, { method: 'POST', body: map('') }, 422, /name or generateName is required/],
  [
    'a create in another namespace',
    MAPS,
    { method: 'POST', body: map('x', { metadata: { name: 'x', namespace: 'kube-system' } }) },
    400,
    /does not match the namespace sent/,
  ],
  [
    'an update of what is not there',
    `${MAPS}/gone`,
    { method: 'PUT', body: map('gone') },
    404,
    /configmaps "gone" not found/,
  ],
  [
    'an update under another name',
    `${MAPS}/there`,
    { method: 'PUT', body: map('other') },
    400,
    /does not match the name on the URL/,
  ],
  [
    'an update of an old version',
    `${MAPS}/there`,
    { method: 'PUT', body: map('there', { metadata: { name: 'there', resourceVersion: '1' } }) },
    409,
    /the object has been modified/,
  ],
  [
    'a patch of an old version',
    `${MAPS}/there`,
    { method: 'PATCH', body: { metadata: { resourceVersion: '1' } }, headers: MERGE },
    409,
    /the object has been modified/,
  ],
  [
    'a delete of another uid',
    `${MAPS}/there`,
    { method: 'DELETE', body: { preconditions: { uid: 'other' } } },
    409,
    /UID in the precondition/,
  ],
  [
    'a delete of another version',
    `${MAPS}/there`,
    { method: 'DELETE', body: { preconditions: { resourceVersion: '1' } } },
    409,
    /ResourceVersion in the precondition/,
  ],
  [
    'a delete with an unknown policy',
    `${MAPS}/there`,
    { method: 'DELETE', body: { propagationPolicy: 'Away' } },
    422,
    /propagationPolicy: Unsupported value: "Away": supported values: "Foreground", "Background", "Orphan", "nil"/,
  ],
  [
    'a delete with two policies',
    `${MAPS}/there`,
    { method: 'DELETE', body: { propagationPolicy: 'Orphan', orphanDependents: true } },
    422,
    /cannot be both set/,
  ],
  ['a post to an object', `${MAPS}/there`, { method: 'POST', body: map('there') }, 405, /does not allow this method/],
  ['a put to a collection', MAPS, { method: 'PUT', body: map('there') }, 405, /does not allow this method/],
  ['a patch of a collection', MAPS, { method: 'PATCH', body: {}, headers: MERGE }, 405, /does not allow this method/],
  ['a delete of a status', `${WEB}/status`, { method: 'DELETE' }, 405, /does not allow this method/],
  ['a subresource that is not there', `${MAPS}/there/scale`, {}, 404, /could not find the requested resource/],
  [
    'a form that is not served',
    `${MAPS}/there`,
    { headers: { accept: 'text/html' } },
    406,
    /only the following media types are accepted/,
  ],
  [
    'a body of another type',
    MAPS,
    { method: 'POST', body: '<a/>', headers: { 'content-type': 'text/xml' } },
    415,
    /accepted media types include/,
  ],
];

for (const [what, path, options, code, words] of refusals) {
  test(`${what} is refused with ${code}`, async () => {
    const answer = await admin.call(path, options);
    assert.equal(answer.code, code, answer.text);
    assert.equal(answer.json['kind'], 'Status');
    assert.equal(answer.json['code'], code);
    assert.match(String(answer.json['message']), words);
  });
}

test('no verb of a dry run changes anything, and each answers as if it had', async () => {
  const before = await api.store.revision();
  const answers = [
    await admin.call(`${MAPS}?dryRun=All`, { method: 'POST', body: { metadata: { generateName: 'dry-' } } }),
    await admin.call(`${MAPS}/there?dryRun=All`, { method: 'PUT', body: map('there', { data: { a: '2' } }) }),
    await admin.call(`${MAPS}/there?dryRun=All`, { method: 'PATCH', body: { data: { b: '2' } }, headers: MERGE }),
    await admin.call(`${MAPS}/new?dryRun=All&fieldManager=me`, { method: 'PATCH', body: map('new'), headers: APPLY }),
    await admin.call(`${WEB}/scale?dryRun=All`, { method: 'PATCH', body: { spec: { replicas: 9 } }, headers: MERGE }),
    await admin.call(`${WEB}/status?dryRun=All`, {
      method: 'PATCH',
      body: { status: { replicas: 9 } },
      headers: MERGE,
    }),
    await admin.call(`${MAPS}/there?dryRun=All`, { method: 'DELETE' }),
    await admin.call(`${MAPS}?dryRun=All`, { method: 'DELETE' }),
  ];
  assert.deepEqual(
    answers.map(({ code }) => code),
    [201, 200, 200, 201, 200, 200, 200, 200],
    answers.map(({ text }) => text.slice(0, 200)).join('\n'),
  );
  assert.equal(answers[1]?.json['data']?.['a'], '2');
  assert.equal(answers[4]?.json['spec']?.['replicas'], 9);
  assert.equal(await api.store.revision(), before);
});

test('an expired token gives another, with which the list goes on over what there is now', async () => {
  const namespace = 'paged';
  await admin.call('/api/v1/namespaces', { method: 'POST', body: { metadata: { name: namespace } } });
  for (const name of ['a', 'b', 'c']) {
    await api.client.create(configMapKind, { metadata: { name, namespace }, data: {} });
  }
  const path = `/api/v1/namespaces/${namespace}/configmaps?limit=1`;
  const { json: first } = await admin.call(path);
  await api.client.create(configMapKind, { metadata: { name: 'bb', namespace }, data: {} });
  await api.store.compact(await api.store.revision());
  const expired = await admin.call(`${path}&continue=${String(first['metadata']?.['continue'])}`);
  assert.deepEqual([expired.code, expired.json['reason']], [410, 'Expired']);
  assert.match(String(expired.json['message']), /use the continue token in this response to retrieve the remainder/);
  const token = String(expired.json['metadata']?.['continue']);
  const { code, json } = await admin.call(`${path.replace('limit=1', 'limit=9')}&continue=${token}`);
  assert.equal(code, 200);
  assert.deepEqual(names(json), ['b', 'bb', 'c']);
});

test('a version with a limit is that version exactly, without one at least that', async () => {
  const { json } = await admin.call(MAPS);
  const then = String(json['metadata']?.['resourceVersion']);
  await api.client.create(configMapKind, configMapDraft('later'));
  const exact = await admin.call(`${MAPS}?limit=500&resourceVersion=${then}`);
  assert.ok(!names(exact.json).includes('later'));
  const since = await admin.call(`${MAPS}?resourceVersion=${then}`);
  assert.ok(names(since.json).includes('later'));
  const newer = await admin.call(`${MAPS}?limit=500&resourceVersion=${then}&resourceVersionMatch=NotOlderThan`);
  assert.ok(names(newer.json).includes('later'));
});

test('a watch with sendInitialEvents lists, marks the end of the list, and ends after timeoutSeconds', async () => {
  const query =
    'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1';
  const { text } = await admin.call(`${MAPS}?${query}&fieldSelector=metadata.name%3Dthere`);
  const events = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Json);
  assert.equal(events[0]?.['type'], 'ADDED');
  assert.equal(events[0]?.['object']?.['metadata']?.['name'], 'there');
  assert.equal(events[1]?.['type'], 'BOOKMARK');
  assert.deepEqual(events[1]?.['object']?.['metadata']?.['annotations'], { 'k8s.io/initial-events-end': 'true' });
});

test('sets of labels select, with each operator', async () => {
  const labelled = { a: { tier: 'front' }, b: { tier: 'back' }, c: { other: '1' } };
  for (const [name, labels] of Object.entries(labelled)) {
    await api.client.create(configMapKind, { metadata: { name, namespace: 'kube-public', labels }, data: {} });
  }
  const selected: readonly (readonly [selector: string, names: readonly string[]])[] = [
    ['tier in (front,back)', ['a', 'b']],
    ['tier notin (front)', ['b', 'c']],
    ['tier', ['a', 'b']],
    ['!tier', ['c']],
    ['tier!=front,tier', ['b']],
    ['other>0', ['c']],
  ];
  for (const [selector, expected] of selected) {
    const { json } = await admin.call(
      `/api/v1/namespaces/kube-public/configmaps?labelSelector=${encodeURIComponent(selector)}`,
    );
    assert.deepEqual(names(json), expected, selector);
  }
});

test('who writes is told by fieldManager, else by the user agent', async () => {
  const agent = { 'user-agent': 'my-tool/1.2 (linux)' };
  const { json } = await admin.call(MAPS, { method: 'POST', body: map('told', { data: { a: '1' } }), headers: agent });
  assert.equal(json['metadata']?.['managedFields']?.[0]?.['manager'], 'my-tool');
  const patched = await admin.call(`${MAPS}/told?fieldManager=me`, {
    method: 'PATCH',
    body: { data: { b: '1' } },
    headers: { ...MERGE, ...agent },
  });
  const managers = (patched.json['metadata']?.['managedFields'] ?? []).map((entry) => entry['manager']);
  assert.deepEqual(managers, ['me', 'my-tool']);
});

test('the right to patch is not enough to apply what is not there', async () => {
  const credentials = api.authority.issueClient({ user: 'system:node:one', groups: ['system:nodes'] });
  const agent = caller(api.server, api.authority.trustBundlePem, credentials);
  const body = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'made' },
    spec: { containers: [{ name: 'a', image: 'x' }] },
  };
  const answer = await agent.call('/api/v1/namespaces/default/pods/made?fieldManager=me', {
    method: 'PATCH',
    body,
    headers: APPLY,
  });
  assert.equal(answer.code, 403, answer.text);
  await agent.close();
});

test('a generation rises with what is wanted and with nothing else', async () => {
  const generation = async (path: string, body: unknown) => {
    await admin.call(path, { method: 'PATCH', body, headers: MERGE });
    return (await admin.call(WEB)).json['metadata']?.['generation'];
  };
  const first = Number(await generation(WEB, { metadata: { labels: { a: 'b' } } }));
  assert.equal(await generation(`${WEB}/status`, { status: { replicas: 1 } }), first);
  assert.equal(await generation(WEB, { spec: { replicas: 7 } }), first + 1);
  assert.equal(await generation(WEB, { spec: { replicas: 7 } }), first + 1);
  assert.equal(await generation(`${WEB}/scale`, { spec: { replicas: 8 } }), first + 2);
});

function names(list: Json): readonly string[] {
  return (list['items'] ?? []).map((item) => String(item['metadata']?.['name']));
}
