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

const BROKEN: readonly (readonly [name: string, response: string])[] = [
  ['two lengths', head('Content-Length: 2\r\nContent-Length: 3')],
  ['length and coding', head('Content-Length: 2\r\nTransfer-Encoding: chunked')],
  ['a coding in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['an unknown coding', head('Transfer-Encoding: gzip')],
  ['a folded field', head('X: a\r\n b')],
  ['a space before a colon', head('X : a')],
  ['a bare LF', 'HTTP/1.1 200 OK\r\nX: a\nY: b\r\n\r\n'],
  ['NUL in a value', head('X: \0')],
  ['a junk status line', 'HTTP/1.1 abc OK\r\n\r\n'],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
  ['no HTTP at all', '220 mail.example ESMTP\r\n\r\n'],
  ['a head of 70 kB', head(`X: ${'a'.repeat(70_000)}`)],
  ['101 fields', head(Array.from({ length: 101 }, (_, at) => `X${at}: y`).join('\r\n'))],
  ['a flood of 1xx', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(50)],
  [
    'a switch that nobody asked for',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
  ],
];

for (const [name, response] of BROKEN) {
  test(`an answer with ${name} becomes 502`, async () => {
    const { answer, reason } = await answerThrough(response);
    assert.match(answer, /HTTP\/1\.1 502 Bad Gateway/);
    assert.equal(reason, 'UPE');
  });
}

test('an answer that ends with its connection reaches the client whole', async () => {
  const { answer, status } = await answerThrough('HTTP/1.1 200 OK\r\n\r\nall of it', GET, { end: true });
  assert.equal(status, 200);
  assert.match(answer, /transfer-encoding: chunked\r\n/);
  assert.match(answer, /9\r\nall of it\r\n0\r\n\r\n$/);
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

test('bytes behind an answer are thrown away with their connection, and never answer the next request', async () => {
  const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  for (const surplus of [`${OK}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`, `${OK}junk`]) {
    await using upstream = await rawUpstream((socket, received) => {
      if (received.endsWith('\r\n\r\n')) socket.write(surplus);
    });
    await using proxy = await startEngine({
      tables: tables(
        [listener('in', 't')],
        [routeTable('t', [route(forward('app'))])],
        [cluster('app', [upstream.port])],
      ),
    });
    for (let turn = 0; turn < 3; turn++) assert.match(await rawExchange(proxy.port('in'), GET), /\r\n\r\nok$/);
    assert.equal(upstream.connections, 3);
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
