import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Clock } from '../../kit/clock.ts';
import { FakeClock } from '../../kit/fake-clock.ts';
import { answering, eventually, rawExchange, rawUpstream, startEngine } from '../test-support/harness.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../test-support/tables.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const CLOSE = 'GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

async function proxyTo(port: number, readMode: 'shared' | 'events' = 'shared', http = {}, clock?: Clock) {
  const running = await startEngine({
    ...(clock === undefined ? {} : { clock }),
    readMode,
    tables: tables(
      [listener('in', 'table', {}, { ...http })],
      [routeTable('table', [route(forward('app'))])],
      [cluster('app', [port])],
    ),
  });
  return running;
}

const statuses = (answer: string): string[] =>
  [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => match[1] ?? '');

for (const readMode of ['shared', 'events'] as const) {
  test(`pipelined requests are answered in order, over one upstream connection (${readMode} reads)`, async () => {
    await using upstream = await rawUpstream((socket, received) => {
      const last = received.slice(0, -4).lastIndexOf('\r\n\r\n');
      const path = /^(?:\r\n\r\n)?\w+ (\S+)/.exec(received.slice(last < 0 ? 0 : last))?.[1] ?? '';
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`);
    });
    await using proxy = await proxyTo(upstream.port, readMode);
    const wanted = Array.from({ length: 30 }, (_, at) => `/n${at}`);
    const requests = wanted.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join('');
    const answer = await rawExchange(proxy.port('in'), requests + CLOSE);
    assert.deepEqual(
      [...answer.matchAll(/\r\n\r\n(\/(?:n\d+|last))/g)].map((match) => match[1]),
      [...wanted, '/last'],
    );
    assert.equal(upstream.connections, 1);
  });

  test(`however requests are cut into packets, the answers are the same (${readMode} reads)`, async () => {
    await using upstream = await rawUpstream((socket, received) => {
      if (/(?:\r\n\r\n|end)$/.test(received)) socket.write(OK);
    });
    await using proxy = await proxyTo(upstream.port, readMode);
    const stream = `POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nend${GET}POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nend\r\n0\r\n\r\n${CLOSE}`;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: stream.length }), { maxLength: 12 }), async (cuts) => {
        const at = [...new Set(cuts)].sort((a, b) => a - b);
        const pieces = [0, ...at].map((start, index) => stream.slice(start, at[index] ?? stream.length));
        assert.deepEqual(statuses(await rawExchange(proxy.port('in'), pieces)), ['200', '200', '200', '200']);
      }),
      { numRuns: 40 },
    );
  });
}

test('a refused request is a line of the log and no load of the cluster', async () => {
  await using upstream = await rawUpstream(answering(OK));
  await using proxy = await proxyTo(upstream.port);
  const refused: readonly (readonly [status: string, bytes: string])[] = [
    ['400', 'GET / HTTP/1.1\r\n\r\n'],
    ['417', 'POST / HTTP/1.1\r\nHost: a\r\nExpect: x\r\nContent-Length: 1\r\n\r\n'],
    ['431', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(62_000)}`],
  ];
  for (const [status, bytes] of refused) {
    assert.deepEqual(
      statuses(await rawExchange(proxy.port('in'), bytes)),
      [status],
      JSON.stringify(bytes.slice(0, 80)),
    );
  }
  assert.equal(upstream.connections, 0);
  assert.equal(proxy.engine.load()[0]?.total, 0);
  await eventually(() => proxy.log.length === refused.length, 'the log lines');
  assert.ok(proxy.log.every((line) => line['reason'] === 'DPE'));
});

test('a client that pipelines and does not read stops the requests, and gets every answer once it reads', async () => {
  const large = `HTTP/1.1 200 OK\r\nContent-Length: 16384\r\n\r\n${'x'.repeat(16_384)}`;
  let asked = 0;
  await using upstream = await rawUpstream((socket, received) => {
    if (!received.endsWith('\r\n\r\n')) return;
    asked++;
    socket.write(large);
  });
  await using proxy = await proxyTo(upstream.port);
  const socket = net.connect({ port: proxy.port('in'), host: '127.0.0.1' });
  socket.pause();
  const count = 1500;
  for (let at = 0; at < count; at++) socket.write(GET);
  let before = -1;
  let still = 0;
  await eventually(() => {
    still = asked > 0 && asked === before ? still + 1 : 0;
    before = asked;
    return still === 40;
  }, 'no more requests at the upstream');
  // Sockets' own buffers hold some megabytes; all of it would be 25.
  assert.ok(asked < 1000, `${asked} answers are held for a client that does not read`);
  let bytes = 0;
  socket.on('data', (data) => void (bytes += data.length));
  socket.resume();
  await eventually(() => bytes >= count * large.length, 'all answers');
  assert.equal(asked, count);
  socket.destroy();
});

test('an HTTP/1.0 client gets a body it can find the end of', async () => {
  await using upstream = await rawUpstream(
    answering('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'),
  );
  await using proxy = await proxyTo(upstream.port);
  const answer = await rawExchange(proxy.port('in'), 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
  assert.match(answer, /connection: close\r\n\r\nabcde$/);
  assert.doesNotMatch(answer, /transfer-encoding/i);
  assert.match(upstream.received[0] ?? '', /^GET \/ HTTP\/1\.1\r\nhost: app\.default\r\n/);
});

test('HEAD, 204 and 304 have no body, and the connection goes on', async () => {
  await using upstream = await rawUpstream((socket, received) => {
    const path = [...received.matchAll(/ (\/\w+) HTTP/g)].at(-1)?.[1];
    if (!received.endsWith('\r\n\r\n')) return;
    if (path === '/head') socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n');
    else if (path === '/none') socket.write('HTTP/1.1 204 No Content\r\n\r\n');
    else if (path === '/same') socket.write('HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n');
    else socket.write(OK);
  });
  await using proxy = await proxyTo(upstream.port);
  const line = (method: string, path: string): string => `${method} ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
  const answer = await rawExchange(
    proxy.port('in'),
    line('HEAD', '/head') + line('GET', '/none') + line('GET', '/same') + CLOSE,
  );
  assert.deepEqual(statuses(answer), ['200', '204', '304', '200']);
  assert.match(answer, /Content-Length: 1000/);
  assert.equal(upstream.connections, 1);
});

test('100 Continue comes from the upstream, and a client that gets a final answer instead is not asked for its body', async () => {
  await using upstream = await rawUpstream((socket, received) => {
    if (received.endsWith('\r\n\r\n'))
      socket.write(
        received.includes('/yes')
          ? 'HTTP/1.1 100 Continue\r\n\r\n'
          : 'HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n',
      );
    else if (received.endsWith('body')) socket.write(OK);
  });
  await using proxy = await proxyTo(upstream.port);
  const head = (path: string): string =>
    `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n`;
  const refused = await rawExchange(proxy.port('in'), head('/no'));
  assert.deepEqual(statuses(refused), ['413']);
  assert.match(refused, /connection: close/);
  const first = await rawExchange(proxy.port('in'), head('/yes'), (answer) => answer.includes('100 Continue'));
  assert.deepEqual(statuses(first), ['100']);
  const whole = await rawExchange(proxy.port('in'), [head('/yes'), 'body'], (answer) => answer.endsWith('ok'));
  assert.equal(statuses(whole).at(-1), '200');
});

test('a client that ends its side after a whole request still gets its answer', async () => {
  await using upstream = await rawUpstream((socket, received) => {
    if (received.endsWith('\r\n\r\n')) setTimeout(() => socket.write(OK), 30);
  });
  await using proxy = await proxyTo(upstream.port);
  const answer = await new Promise<string>((resolve) => {
    let text = '';
    const socket = net.connect({ port: proxy.port('in'), host: '127.0.0.1', allowHalfOpen: true }, () =>
      socket.end(GET),
    );
    socket.on('data', (data) => void (text += data.toString()));
    socket.on('end', () => resolve(text));
  });
  assert.deepEqual(statuses(answer), ['200']);
});

test('a client that goes away in the middle takes its upstream request with it', async () => {
  await using upstream = await rawUpstream(() => undefined);
  await using proxy = await proxyTo(upstream.port);
  const socket = net.connect({ port: proxy.port('in'), host: '127.0.0.1' }, () => socket.write(GET));
  await eventually(() => upstream.connections === 1, 'the request at the upstream');
  socket.resetAndDestroy();
  await eventually(() => proxy.engine.load()[0]?.active === 0, 'the request is given up');
  await eventually(() => proxy.log.length === 1, 'the log line');
  assert.deepEqual([proxy.log[0]?.['status'], proxy.log[0]?.['reason']], [0, 'DC']);
});

test('a head that does not end is refused with 408, an idle connection is closed in silence', async () => {
  await using upstream = await rawUpstream(answering(OK));
  await using proxy = await proxyTo(upstream.port, 'shared', { headerTimeoutMs: 300, idleTimeoutMs: 350 });
  assert.deepEqual(statuses(await rawExchange(proxy.port('in'), 'GET / HTTP/1.1\r\nHost:')), ['408']);
  assert.deepEqual(
    statuses(await rawExchange(proxy.port('in'), 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab')),
    ['408'],
  );
  assert.equal(await rawExchange(proxy.port('in'), ''), '');
  // A machine that is held up between a connection and its bytes makes a sound client a slow one: another comes.
  const answers: string[][] = [];
  do answers.push(statuses(await rawExchange(proxy.port('in'), GET)));
  while (answers.at(-1)?.[0] !== '200' && answers.length < 50);
  assert.deepEqual(answers.at(-1), ['200'], JSON.stringify(answers));
});

test('a request that comes late on an idle connection has its whole time to be answered', async () => {
  let answerSecond: (() => void) | undefined;
  await using upstream = await rawUpstream((socket, received) => {
    if (!received.endsWith('\r\n\r\n')) return;
    if (received.indexOf('\r\n\r\n') === received.length - 4) socket.write(OK);
    else answerSecond = () => socket.write(OK);
  });
  const clock = new FakeClock();
  await using proxy = await proxyTo(upstream.port, 'shared', { idleTimeoutMs: 2000 }, clock);
  let text = '';
  const socket = net.connect({ port: proxy.port('in'), host: '127.0.0.1' }, () => socket.write(GET));
  socket.on('data', (data) => void (text += data.toString()));
  await eventually(() => text.endsWith('ok'), 'the first answer');
  await clock.advance(1000);
  socket.write(GET);
  await eventually(() => answerSecond !== undefined, 'the second request');
  // The first idle period has run out; the second request's own has not.
  await clock.advance(1900);
  answerSecond?.();
  await eventually(() => statuses(text).length === 2 || socket.readableEnded, 'the second answer');
  assert.deepEqual(statuses(text), ['200', '200']);
  socket.destroy();
});
