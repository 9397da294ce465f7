import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, rawExchange, rawUpstream, startEngine } from '../test-support/harness.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../test-support/tables.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

async function answerThrough(response: string, request = GET, more: { readonly end?: boolean } = {}) {
  await using upstream = await rawUpstream((socket, received) => {
    if (!received.endsWith('\r\n\r\n')) return;
    socket.write(response, 'latin1');
    if (more.end === true) socket.end();
  });
  await using proxy = await startEngine({
    tables: tables(
      [listener('in', 't')],
      [routeTable('t', [route(forward('app'))])],
      [cluster('app', [upstream.port])],
    ),
  });
  const answer = await rawExchange(proxy.port('in'), request);
  await eventually(() => proxy.log.length === 1, 'the log line');
  return { answer, status: Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]), reason: proxy.log[0]?.['reason'] };
}

const head = (fields: string): string => `HTTP/1.1 200 OK\r\n${fields}\r\n\r\n`;

test('an answer that is refused is told from one that never came', async () => {
  const { answer, reason } = await answerThrough(head('Content-Length: 2\r\nContent-Length: 3'));
  assert.match(answer, /HTTP\/1\.1 502 Bad Gateway/);
  assert.equal(reason, 'UPE');
});

test('an answer that is cut short cuts the client off: it must not look whole', async () => {
  for (const [response, whole] of [
    ['HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf', '0123456789'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n', '0\r\n\r\n'],
  ] as const) {
    const { answer, reason } = await answerThrough(response, GET, { end: true });
    assert.match(answer, /half/);
    assert.ok(!answer.endsWith(whole));
    assert.equal(reason, 'UC');
  }
});

test('bytes that come on an idle pooled connection close it', async () => {
  const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  await using upstream = await rawUpstream((socket, received) => {
    if (!received.endsWith('\r\n\r\n')) return;
    socket.write(OK);
    setTimeout(() => socket.write(OK.replace('ok', 'no')), 20);
  });
  await using proxy = await startEngine({
    tables: tables(
      [listener('in', 't')],
      [routeTable('t', [route(forward('app'))])],
      [cluster('app', [upstream.port])],
    ),
  });
  assert.match(await rawExchange(proxy.port('in'), GET), /ok$/);
  await eventually(() => proxy.engine.clusters()[0]?.endpoints[0]?.idleConnections === 0, 'the connection is dropped');
  assert.match(await rawExchange(proxy.port('in'), GET), /ok$/);
});
