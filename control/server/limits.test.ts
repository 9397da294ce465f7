import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { configMapKind } from '../../api/kinds/config-map.ts';
import { createLog } from '../../kit/log.ts';
import { startTestApiServer, type TestApiServer } from '../../test/support/api-server.ts';
import { type Caller, caller } from './testing/caller.ts';
import { configMapDraft } from './testing/drafts.ts';

const BURST = 40;

let api: TestApiServer;
let admin: Caller;
const logged: string[] = [];

before(async () => {
  const log = createLog({ level: 'info', format: 'json', write: (line) => void logged.push(line) });
  // A rate that never fills the bucket again while the tests run.
  api = await startTestApiServer({ log, requestRate: { perSecond: 0.01, burst: BURST } });
  admin = caller(api.server, api.authority.trustBundlePem, api.admin);
});

after(async () => {
  await admin.close();
  await api.close();
});

/** Someone new, whose requests count by themselves. */
function someone(user: string, groups: readonly string[] = ['system:masters']): Caller {
  return caller(api.server, api.authority.trustBundlePem, api.authority.issueClient({ user, groups: [...groups] }));
}

const MAPS = '/api/v1/namespaces/default/configmaps';
const levels = (count: number): string => '['.repeat(count) + ']'.repeat(count);

/** `a: &a [x,x,…]`, and then lists of lists of it. */
const BOMB = ['a0: &a0 [x,x,x,x,x,x,x,x,x,x]']
  .concat(Array.from({ length: 9 }, (_, n) => `a${n + 1}: &a${n + 1} [${Array(9).fill(`*a${n}`).join(',')}]`))
  .join('\n');

const bodies: readonly (readonly [what: string, body: string, type: string, code: number, words: RegExp])[] = [
  [
    'JSON that breaks off',
    '{"metadata":',
    'application/json',
    400,
    /json parse error: unexpected end of JSON input \(\{"metadata":\)/,
  ],
  ['JSON with a mistake', '{\n "a": 1,\n "b" 2}', 'application/json', 400, /line 3 column 6/],
  [
    'YAML with a mistake',
    'a: 1\nb: [1, 2\nc: 3',
    'application/yaml',
    400,
    /must be of type ConfigMap\): yaml: .* at line \d+, column \d+/s,
  ],
  ['endless nesting', `{"data":${levels(5000)}}`, 'application/json', 400, /nested deeper than 256 levels/],
  ['aliases that multiply', BOMB, 'application/yaml', 400, /alias/],
  ['a prototype', '{"data":{"__proto__":{"x":"1"}}}', 'application/json', 400, /"__proto__": not allowed/],
  ['a prototype in YAML', 'data: {__proto__: {x: "1"}}', 'application/yaml', 400, /"__proto__": not allowed/],
  ['text that is no UTF-8', '\xff\xfe', 'application/x-unknown', 415, /accepted media types/],
];

for (const [what, body, type, code, words] of bodies) {
  test(`a body with ${what} is refused with ${code} and why`, async () => {
    const sender = someone(what);
    const answer = await sender.call(MAPS, { method: 'POST', body, headers: { 'content-type': type } });
    assert.equal(answer.code, code, answer.text);
    assert.equal(answer.json['kind'], 'Status');
    assert.match(String(answer.json['message']), words);
    await sender.close();
  });
}

const hostile: readonly (readonly [type: string, patch: string])[] = [
  ['application/merge-patch+json', '{"data":{"__proto__":{"polluted":"1"}}}'],
  ['application/merge-patch+json', '{"metadata":{"labels":{"constructor":"1"}}}'],
  ['application/strategic-merge-patch+json', '{"metadata":{"prototype":{"polluted":"1"}}}'],
  ['application/json-patch+json', '[{"op":"add","path":"/constructor/prototype/polluted","value":"1"}]'],
  ['application/apply-patch+yaml', 'apiVersion: v1\nkind: ConfigMap\ndata: {constructor: {polluted: "1"}}'],
];

test('no patch of any type reaches a prototype', async () => {
  const sender = someone('polluter');
  await api.client.create(configMapKind, configMapDraft('target', { a: '1' }));
  for (const [type, body] of hostile) {
    const path = `${MAPS}/target${type.includes('apply') ? '?fieldManager=me' : ''}`;
    const answer = await sender.call(path, { method: 'PATCH', body, headers: { 'content-type': type } });
    assert.equal(answer.code, 400, `${type}: ${answer.text}`);
  }
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  await sender.close();
});

test('selectors and queries by the name of something inherited find nothing', async () => {
  const sender = someone('selector');
  await api.client.create(configMapKind, configMapDraft('plain', { a: '1' }));
  for (const query of ['labelSelector=constructor', 'labelSelector=toString', 'labelSelector=valueOf,!nothing']) {
    const { code, json } = await sender.call(`${MAPS}?${query}&__proto__=1&constructor=2`);
    assert.deepEqual([code, json['items']?.length], [200, 0], query);
  }
  const { code } = await sender.call(`${MAPS}?fieldSelector=constructor%3Dx`);
  assert.equal(code, 400);
  await sender.close();
});

test('who asks too often is told to wait, and others are served', async () => {
  const busy = someone('busy');
  const codes = await Promise.all(Array.from({ length: BURST + 5 }, () => busy.call(MAPS)));
  const refused = codes.filter(({ code }) => code === 429);
  assert.equal(refused.length, 5);
  const [first] = refused;
  assert.match(String(first?.json['message']), /too many requests of "busy": at most 0\.01 a second, 40 at once/);
  assert.ok(Number(first?.headers['retry-after']) >= 1);
  assert.equal(first?.json['reason'], 'TooManyRequests');
  assert.equal((await admin.call(MAPS)).code, 200);
  await busy.close();
});

test('agents are not counted', async () => {
  const agent = someone('system:node:one', ['system:nodes']);
  const answers = await Promise.all(Array.from({ length: BURST + 5 }, () => agent.call('/api/v1/nodes')));
  assert.ok(answers.every(({ code }) => code === 200));
  await agent.close();
});

test('a bad token is 401 without a reason, which the log has', async () => {
  const stranger = caller(api.server, api.authority.trustBundlePem);
  const { code, text } = await stranger.call(MAPS, { headers: { authorization: 'Bearer not.a.token' } });
  assert.equal(code, 401);
  assert.doesNotMatch(text, /token/i);
  assert.ok(logged.some((line) => /credential refused/.test(line) && /token: /.test(line)));
  await stranger.close();
});

/** All that a server says to these bytes, until it closes the connection. */
async function raw(text: string, { port, authority } = api): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', ca: authority.trustBundlePem });
  await once(socket, 'secureConnect');
  let said = '';
  socket.setEncoding('utf8').on('data', (part: string) => void (said += part));
  socket.on('error', () => undefined);
  socket.write(text);
  // Not once(): it fails when the connection is reset, which is as good an end.
  await new Promise((resolve) => socket.on('close', resolve));
  return said;
}

test('a URL or headers that are too long are 431, and what is no HTTP is 400, each as a Status', async () => {
  const long = await raw(`GET /${'a'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`);
  assert.match(long, /^HTTP\/1\.1 431 .*"kind":"Status".*"code":431/s);
  const many = Array.from({ length: 3000 }, (_, n) => `x-${n}: ${n}`).join('\r\n');
  assert.match(await raw(`GET /livez HTTP/1.1\r\nhost: x\r\n${many}\r\n\r\n`), /^HTTP\/1\.1 431 /);
  assert.match(await raw('what is this\r\n\r\n'), /^HTTP\/1\.1 400 .*"kind":"Status"/s);
});

test('a client that does not finish its request loses its connection', async () => {
  // A server of its own: others are not to be cut off because the machine is slow.
  const receive = { headersTimeout: 200, requestTimeout: 400, connectionsCheckingInterval: 50 };
  const hasty = await startTestApiServer({ receive });
  assert.match(await raw('GET /livez HTTP/1.1\r\nhost: x\r\nx-slow: ', hasty), /^HTTP\/1\.1 408 .*"code":408/s);
  const unfinished = `POST ${MAPS} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{`;
  assert.match(await raw(unfinished, hasty), /^HTTP\/1\.1 (?:403|408) /);
  await hasty.close();
});
