import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { freePort } from '../../test/support/free-port.ts';
import { needs, program } from '../../test/support/programs.ts';
import { configMapKind } from '../kinds/config-map.ts';
import { nodeKind } from '../kinds/node.ts';
import { ApiError } from '../meta/api-error.ts';
import type { WatchEvent } from './client.ts';
import { mayPass } from './failures.ts';
import { type HttpClient, type HttpClientOptions, httpClient } from './http-client.ts';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

type Answer = (request: Seen, response: ServerResponse) => void;

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function handler(answer: Answer, seen: Seen[]): RequestListener {
  return (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const { method = '', url = '', headers } = request;
      const record = { method, url, headers, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
      seen.push(record);
      answer(record, response);
    });
  };
}

interface Setup {
  readonly client: HttpClient;
  readonly seen: readonly Seen[];
}

async function connect(t: TestContext, answer: Answer, options: Partial<HttpClientOptions> = {}): Promise<Setup> {
  const seen: Seen[] = [];
  const port = await listen(t, createServer(handler(answer, seen)));
  const client = httpClient({
    server: `http://127.0.0.1:${port}/`,
    credentials: { kind: 'anonymous' },
    userAgent: 'tutti-test',
    ...options,
  });
  t.after(() => client.close());
  return { client, seen };
}

function json(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const metadata = {
  name: 'a',
  namespace: 'shop',
  uid: 'u',
  resourceVersion: '7',
  creationTimestamp: '2030-01-01T00:00:00Z',
};
const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { k: 'v' } } as const;
const ref = { namespace: 'shop', name: 'a' };
const one = '/api/v1/namespaces/shop/configmaps/a';

const CALLS: readonly (readonly [
  what: string,
  call: (client: HttpClient) => Promise<unknown>,
  method: string,
  url: string,
  contentType: string | undefined,
  body: unknown,
])[] = [
  ['get', (client) => client.get(configMapKind, ref), 'GET', one, undefined, undefined],
  [
    'create',
    (client) => client.create(configMapKind, { metadata: { name: 'a', namespace: 'shop' }, data: {} }),
    'POST',
    '/api/v1/namespaces/shop/configmaps?fieldValidation=Strict',
    'application/json',
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'shop' }, data: {} },
  ],
  [
    'update',
    (client) => client.update(configMapKind, map, { dryRun: true, fieldManager: 'me' }),
    'PUT',
    `${one}?dryRun=All&fieldValidation=Strict&fieldManager=me`,
    'application/json',
    map,
  ],
  [
    'updateStatus',
    (client) =>
      client.updateStatus(nodeKind, nodeKind.schema.parse({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } })),
    'PUT',
    '/api/v1/nodes/n/status?fieldValidation=Strict',
    'application/json',
    nodeKind.schema.parse({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } }),
  ],
  [
    'patch',
    (client) => client.patch(configMapKind, ref, { data: null }, { type: 'merge', subresource: 'status' }),
    'PATCH',
    `${one}/status?fieldValidation=Strict`,
    'application/merge-patch+json',
    { data: null },
  ],
  [
    'strategic patch',
    (client) => client.patch(configMapKind, ref, {}, { type: 'strategic', fieldValidation: 'Warn' }),
    'PATCH',
    `${one}?fieldValidation=Warn`,
    'application/strategic-merge-patch+json',
    {},
  ],
  [
    'delete',
    (client) => client.delete(configMapKind, ref, { gracePeriodSeconds: 0, preconditions: { uid: 'u' }, dryRun: true }),
    'DELETE',
    one,
    'application/json',
    { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0, preconditions: { uid: 'u' }, dryRun: ['All'] },
  ],
];

for (const [what, call, method, url, contentType, body] of CALLS) {
  test(`${what} is ${method} ${url}`, async (t) => {
    const { client, seen } = await connect(t, (_request, response) => json(response, 200, map));
    await call(client);
    const [request] = seen;
    assert.deepEqual(
      [request?.method, request?.url, request?.headers['content-type'], request?.body],
      [method, url, contentType, body],
    );
    assert.equal(request?.headers['user-agent'], 'tutti-test');
  });
}

test('a list gives its items their type, and the place where it goes on', async (t) => {
  const { client, seen } = await connect(t, (_request, response) => {
    const items = [{ metadata, data: {} }];
    json(response, 200, { kind: 'ConfigMapList', metadata: { resourceVersion: '9', continue: 'next' }, items });
  });
  const list = await client.list(configMapKind, { labelSelector: 'a in (b)', limit: 1, continue: 'here' });
  assert.equal(seen[0]?.url, '/api/v1/configmaps?labelSelector=a+in+%28b%29&limit=1&continue=here');
  assert.deepEqual([list.resourceVersion, list.continue], ['9', 'next']);
  assert.equal(list.items[0]?.kind, 'ConfigMap');
});

test('the token is asked for at each request', async (t) => {
  let turn = 0;
  const { client, seen } = await connect(t, (_request, response) => json(response, 200, map), {
    credentials: { kind: 'token', token: () => `t${++turn}` },
  });
  await client.get(configMapKind, ref);
  await client.get(configMapKind, ref);
  assert.deepEqual(
    seen.map(({ headers }) => headers.authorization),
    ['Bearer t1', 'Bearer t2'],
  );
});

test('an error carries the Status that the server sent', async (t) => {
  const { status } = ApiError.notFound(configMapKind, 'a');
  const { client } = await connect(t, (_request, response) => json(response, 404, status));
  await assert.rejects(client.get(configMapKind, ref), (error) => {
    assert.ok(error instanceof ApiError);
    assert.deepEqual(error.status, status);
    return true;
  });
});

test('an error without a Status is told by its code and what came', async (t) => {
  const { client } = await connect(t, (_request, response) => response.writeHead(503).end('upstream is away'));
  await assert.rejects(client.get(configMapKind, ref), (error) => {
    assert.ok(error instanceof ApiError);
    assert.deepEqual([error.code, error.reason, error.message], [503, 'ServiceUnavailable', 'upstream is away']);
    return true;
  });
});

test('an answer that is no JSON is an error, not an object', async (t) => {
  const { client } = await connect(t, (_request, response) => response.end('<html>'));
  await assert.rejects(client.get(configMapKind, ref), /the answer is not JSON/);
});

test('warnings of the server are heard', async (t) => {
  const warnings: string[] = [];
  const { client } = await connect(
    t,
    (_request, response) => {
      response.setHeader('warning', ['299 - "spec.affinity: not enforced"', '299 - "say \\"hi\\""']);
      json(response, 200, map);
    },
    { onWarning: (warning) => warnings.push(warning) },
  );
  await client.get(configMapKind, ref);
  assert.deepEqual(warnings, ['spec.affinity: not enforced', 'say "hi"']);
});

test('a server that is not there is told with what to do', async (t) => {
  const port = await freePort();
  const client = httpClient({ server: `http://127.0.0.1:${port}`, credentials: { kind: 'anonymous' }, userAgent: 'x' });
  t.after(() => client.close());
  await assert.rejects(client.get(configMapKind, ref), (error) => {
    assert.ok(error instanceof ApiError);
    assert.equal(error.code, 503);
    assert.equal(
      error.message,
      `API server http://127.0.0.1:${port}: refused the connection; is it running? Start it with: tutti up`,
    );
    assert.ok(error.cause instanceof Error);
    return true;
  });
});

test('what only reads is asked once more when its connection was cut before an answer, what writes is not', async (t) => {
  let cuts = 1;
  const { client, seen } = await connect(t, (_request, response) => {
    if (cuts-- > 0) response.socket?.destroy();
    else json(response, 200, map);
  });
  assert.equal((await client.get(configMapKind, ref)).metadata.name, 'a');
  assert.equal(seen.length, 2);
  cuts = 1;
  await assert.rejects(client.update(configMapKind, map), /closed the connection/);
  assert.equal(seen.length, 3);
  cuts = 2;
  await assert.rejects(client.get(configMapKind, ref), /closed the connection/);
  assert.equal(seen.length, 5);
});

test('a connection that breaks within the answer is told', async (t) => {
  const { client } = await connect(t, (_request, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('{', () => response.destroy());
  });
  await assert.rejects(client.get(configMapKind, ref), /closed the connection; it may be restarting/);
});

test('a request is given up with the reason of its signal', async (t) => {
  const { client } = await connect(t, () => {});
  const abort = new AbortController();
  const waiting = assert.rejects(client.request('GET', '/slow', { signal: abort.signal }), /enough/);
  abort.abort(new Error('enough'));
  await waiting;
});

function event(type: string, resourceVersion: string): string {
  return `${JSON.stringify({ type, object: { ...map, metadata: { ...metadata, resourceVersion } } })}\n`;
}

test('a watch gives events as they come, bookmarks by their revision, and ends when it is aborted', async (t) => {
  let send: ((text: string) => void) | undefined;
  const { client, seen } = await connect(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    send = (text) => response.write(text);
    send(event('ADDED', '8'));
  });
  const abort = new AbortController();
  const heard: WatchEvent<typeof map>[] = [];
  for await (const each of client.watch(configMapKind, {
    namespace: 'shop',
    resourceVersion: '7',
    signal: abort.signal,
  })) {
    heard.push(each as WatchEvent<typeof map>);
    if (heard.length === 1) send?.(event('MODIFIED', '9').slice(0, 40));
    if (heard.length === 1) send?.(event('MODIFIED', '9').slice(40) + event('BOOKMARK', '12'));
    if (each.type === 'BOOKMARK') abort.abort();
  }
  assert.deepEqual(
    heard.map((each) => [
      each.type,
      each.type === 'BOOKMARK' ? each.resourceVersion : each.object.metadata.resourceVersion,
    ]),
    [
      ['ADDED', '8'],
      ['MODIFIED', '9'],
      ['BOOKMARK', '12'],
    ],
  );
  const query = new URL(`http://x${seen[0]?.url}`).searchParams;
  assert.deepEqual(
    ['watch', 'resourceVersion', 'allowWatchBookmarks'].map((name) => query.get(name)),
    ['true', '7', 'true'],
  );
});

const GONE: readonly (readonly [what: string, answer: Answer])[] = [
  ['in the answer', (_request, response) => json(response, 410, ApiError.expired('too old').status)],
  [
    'in an event',
    (_request, response) =>
      response.end(`${JSON.stringify({ type: 'ERROR', object: ApiError.expired('too old').status })}\n`),
  ],
];

for (const [what, answer] of GONE) {
  test(`a watch whose history is gone throws 410, told ${what}`, async (t) => {
    const { client } = await connect(t, answer);
    const { signal } = new AbortController();
    const watching = Array.fromAsync(client.watch(configMapKind, { resourceVersion: '1', signal }));
    await assert.rejects(watching, (error) => error instanceof ApiError && error.code === 410);
  });
}

test('a watch that nobody reads further is let go on the server', async (t) => {
  const closed = Promise.withResolvers<void>();
  const { client } = await connect(t, (_request, response) => {
    response.on('close', () => closed.resolve());
    response.write(event('ADDED', '8'));
  });
  const { signal } = new AbortController();
  for await (const each of client.watch(configMapKind, { resourceVersion: '7', signal })) {
    assert.equal(each.type, 'ADDED');
    break;
  }
  await closed.promise;
});

test('a stream gives bytes as they come', async (t) => {
  const { client, seen } = await connect(t, (_request, response) => {
    response.write('one\n');
    response.end('two\n');
  });
  const chunks = await Array.fromAsync(
    client.stream('/log', { signal: new AbortController().signal, accept: 'text/plain' }),
  );
  assert.equal(Buffer.concat(chunks).toString(), 'one\ntwo\n');
  assert.equal(seen[0]?.headers.accept, 'text/plain');
});

interface Pair {
  readonly cert: string;
  readonly key: string;
}

function selfSigned(folder: string, name: string): Pair {
  const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync(program('openssl'), [...request, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}

test('over TLS the server is verified and the client shows its certificate', needs('openssl'), async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-client-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const server = selfSigned(folder, 'server');
  const admin = selfSigned(folder, 'admin');
  const port = await listen(
    t,
    createTlsServer({ ...server, requestCert: true, ca: admin.cert }, (request, response) => {
      const { subject } = (request.socket as TLSSocket).getPeerCertificate();
      json(response, 200, { user: subject.CN });
    }),
  );
  const common = {
    server: `https://127.0.0.1:${port}`,
    credentials: { kind: 'certificate', certificatePem: admin.cert, keyPem: admin.key },
    userAgent: 'x',
  } as const;
  const trusting = httpClient({ ...common, caPem: server.cert });
  t.after(() => trusting.close());
  assert.deepEqual(await trusting.request('GET', '/'), { user: 'admin' });
  const wary = httpClient({ ...common, caPem: admin.cert });
  t.after(() => wary.close());
  await assert.rejects(wary.request('GET', '/'), (error: Error) => {
    assert.match(error.message, /its certificate is not from the kubeconfig's CA/);
    assert.equal(mayPass(error), false, 'asking again would change nothing');
    return true;
  });
  const careless = httpClient({ ...common, insecureSkipTlsVerify: true });
  t.after(() => careless.close());
  assert.deepEqual(await careless.request('GET', '/'), { user: 'admin' });
});
