import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Client } from '../../api/client/client.ts';
import { errorOfAnswer, errorOfConnection } from '../../api/client/failures.ts';
import { httpClient } from '../../api/client/http-client.ts';
import { deploymentKind } from '../../api/kinds/deployment.ts';
import { ApiError } from '../../api/meta/api-error.ts';
import { systemClock } from '../../kit/clock.ts';
import { FakeClock } from '../../kit/fake-clock.ts';
import { drainNode } from '../drain/drain.ts';
import type { Terminal } from '../output/terminal.ts';
import { waitForRollout } from '../rollout/wait.ts';
import { followReplicas } from '../up/follow-replicas.ts';
import type { Cluster, CommandContext } from './context.ts';
import { lookAgain } from './look-again.ts';

const SERVER = 'https://127.0.0.1:6443';

function broken(code: string): Error {
  return errorOfConnection(Object.assign(new Error(code), { code }), SERVER) as Error;
}

interface Setup {
  readonly context: CommandContext;
  readonly clock: FakeClock;
  readonly said: string[];
  readonly stop: () => void;
}

function setup(): Setup {
  const clock = new FakeClock();
  const said: string[] = [];
  const stop = new AbortController();
  const say = (text: string): void => void said.push(text);
  const terminal: Terminal = {
    out: say,
    err: say,
    live: false,
    liveArea: () => ({ show: say, done: () => undefined }),
    style: (_, text) => text,
  };
  const context = { terminal, clock, signal: stop.signal } as unknown as CommandContext;
  return { context, clock, said, stop: () => stop.abort() };
}

/** The question fails with each of the errors in turn, then it is answered. */
function failing(errors: readonly Error[]): { readonly ask: () => Promise<string>; readonly asked: () => number } {
  let asked = 0;
  return {
    asked: () => asked,
    ask: () => {
      const error = errors[asked++];
      return error === undefined ? Promise.resolve('answer') : Promise.reject(error);
    },
  };
}

for (const [what, error] of [
  ['503', errorOfAnswer(503, '')],
  ['500', errorOfAnswer(500, '')],
  ['504', errorOfAnswer(504, '')],
  ['429', errorOfAnswer(429, '')],
  ['a connection that is cut', broken('ECONNRESET')],
  ['no answer in time', broken('UND_ERR_HEADERS_TIMEOUT')],
] as const) {
  test(`${what} counts as not yet`, async () => {
    const { context, clock } = setup();
    const { ask, asked } = failing([error, error]);
    const answer = lookAgain({ context, untilMs: 10_000 })(ask);
    await clock.advance(1000);
    assert.equal(await answer, 'answer');
    assert.equal(asked(), 3);
    assert.equal(clock.pendingTimers, 0);
  });
}

for (const [what, error] of [
  ['401', errorOfAnswer(401, '')],
  ['403', errorOfAnswer(403, '')],
  ['404', errorOfAnswer(404, '')],
  ['409', errorOfAnswer(409, '')],
  ['410', errorOfAnswer(410, '')],
  ['422', errorOfAnswer(422, '')],
  ['a certificate of another CA', broken('SELF_SIGNED_CERT_IN_CHAIN')],
  ['a certificate that has expired', broken('CERT_HAS_EXPIRED')],
  ['a certificate for another name', broken('ERR_TLS_CERT_ALTNAME_INVALID')],
  ['a certificate of ours that is refused', broken('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA')],
  ['a defect of ours', new TypeError('undefined is not a function')],
] as const) {
  test(`${what} ends the command at once`, async () => {
    const { context } = setup();
    const { ask, asked } = failing([error]);
    await assert.rejects(lookAgain({ context, untilMs: 10_000, isKnown: true })(ask), (thrown) => thrown === error);
    assert.equal(asked(), 1);
  });
}

test('a server that is not there when the command begins is told at once, one that goes away is waited for', async () => {
  const { context, clock } = setup();
  const refused = broken('ECONNREFUSED');
  await assert.rejects(lookAgain({ context, untilMs: 10_000 })(failing([refused]).ask), /refused the connection/);
  const look = lookAgain({ context, untilMs: 10_000 });
  await look(failing([]).ask);
  const answer = look(failing([refused]).ask);
  await clock.advance(1000);
  assert.equal(await answer, 'answer');
});

test('at the end of the time what is wrong is thrown, and an interruption that lasts is told once', async () => {
  const { context, clock, said } = setup();
  const error = errorOfAnswer(503, '');
  const asked = lookAgain({ context, untilMs: 5000 })(() => Promise.reject(error));
  const rejected = assert.rejects(asked, (thrown) => thrown === error);
  await clock.advance(6000);
  await rejected;
  assert.deepEqual(said, [`warning: ${error.message}; asking again\n`]);
});

test('Ctrl-C ends the waiting', async () => {
  const { context, clock, stop } = setup();
  const rejected = assert.rejects(lookAgain({ context })(() => Promise.reject(errorOfAnswer(503, ''))));
  await clock.advance(10);
  stop();
  await rejected;
  assert.equal(clock.pendingTimers, 0);
});

const ready = {
  metadata: { name: 'web', namespace: 'shop', uid: 'u', generation: 1 },
  spec: { replicas: 1 },
  status: { observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1, readyReplicas: 1 },
};
const starting = { ...ready, status: { ...ready.status, availableReplicas: 0, readyReplicas: 0 } };

/** Deployments are seen starting, then the server fails twice, then they are ready; there is nothing else. */
function restarting(): Pick<Client, 'get' | 'list'> {
  let asked = 0;
  const deployment = (): unknown => {
    asked += 1;
    if (asked === 2) throw ApiError.unavailable('starting again');
    if (asked === 3) throw broken('ECONNREFUSED');
    return asked === 1 ? starting : ready;
  };
  const list = async ({ kind }: { kind: string }): Promise<unknown> => ({
    items: kind === deploymentKind.kind ? [deployment()] : [],
  });
  return { get: async () => deployment(), list } as unknown as Pick<Client, 'get' | 'list'>;
}

test('tutti up shows replicas to the end though the API server fails on the way', async () => {
  const { context, clock, said } = setup();
  const missing = followReplicas({ client: restarting() as Client, context, timeoutMs: 10_000 });
  await clock.advance(5000);
  assert.deepEqual(await missing, []);
  assert.match(said.at(-1) ?? '', /✓ deployment\/web .*1\/1 ready/);
});

test('tutti up says what was missing when the API server no longer answers, and leaves in order on Ctrl-C', async () => {
  const dead = { list: () => Promise.reject(errorOfAnswer(503, '')) } as unknown as Client;
  const { context, clock, said, stop } = setup();
  const rejected = assert.rejects(followReplicas({ client: dead, context, timeoutMs: 3000 }), /503/);
  await clock.advance(4000);
  await rejected;
  assert.match(said.join(''), /503.*asking again/);
  const stopped = followReplicas({ client: dead, context, timeoutMs: 3000 });
  await clock.advance(100);
  stop();
  assert.deepEqual(await stopped, []);
});

test('a rollout is followed to its end though the API server fails on the way', async () => {
  const { context, clock, said } = setup();
  const cluster = { client: restarting() } as unknown as Cluster;
  const done = waitForRollout({ cluster, context, namespace: 'shop', name: 'web', timeoutMs: 10_000 });
  await clock.advance(5000);
  await done;
  assert.match(said.at(-1) ?? '', /successfully rolled out/);
});

test('a node is drained though the API server fails at every step', async () => {
  const { context, clock, said } = setup();
  const pod = {
    metadata: { name: 'web', namespace: 'shop', uid: 'u', ownerReferences: [{ controller: true }] },
    spec: {},
    status: { phase: 'Running' },
  };
  const unavailable = (): Promise<never> => Promise.reject(ApiError.unavailable('starting again'));
  let lists = 0;
  let posts = 0;
  const list = (): Promise<unknown> => {
    lists += 1;
    return lists % 2 === 1 ? unavailable() : Promise.resolve({ items: lists < 5 ? [pod] : [] });
  };
  const post = (): Promise<unknown> => {
    posts += 1;
    return posts === 1 ? unavailable() : Promise.resolve({});
  };
  const cluster = { client: { list }, post } as unknown as Cluster;
  const flags = { force: false, deleteEmptyDirData: false };
  const drained = drainNode({ ...flags, cluster, context, node: 'node-1', timeoutMs: 10_000 });
  await clock.advance(8000);
  await drained;
  assert.equal(posts, 2);
  assert.equal(said.at(-1), 'pod/web evicted\n');
});

async function listening(t: TestContext, answer: (response: ServerResponse, asked: number) => void): Promise<string> {
  let asked = 0;
  const server = createServer((_, response) => answer(response, asked++));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('over HTTP: a 503, a connection cut before and within the answer, and then the answer', async (t) => {
  const server = await listening(t, (response, asked) => {
    if (asked === 0) response.writeHead(503).end('starting');
    // What only reads is asked once more by the client itself.
    else if (asked < 3) response.socket?.destroy();
    else if (asked === 3) {
      response.writeHead(200, { 'content-length': 100 }).write('{');
      setImmediate(() => response.socket?.destroy());
    } else response.end('{"kind":"Deployment"}');
  });
  const client = httpClient({ server, credentials: { kind: 'anonymous' }, userAgent: 'tutti' });
  t.after(() => client.close());
  const { context } = setup();
  const look = lookAgain({ context: { ...context, clock: systemClock() }, untilMs: Number.POSITIVE_INFINITY });
  assert.deepEqual(await look(() => client.request('GET', '/')), { kind: 'Deployment' });
});
