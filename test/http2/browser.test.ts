import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { WebSocketServer } from 'ws';
import { echoServer } from '../../proxy/test-support/grpc-peers.ts';
import { startEngine } from '../../proxy/test-support/harness.ts';
import { testAuthority } from '../../proxy/test-support/mesh.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../../proxy/test-support/tables.ts';
import { needs, program } from '../support/programs.ts';

/** In the page: three WebSockets at once, and a gRPC call in both of gRPC-Web's forms. */
const SCRIPT = `(async () => {
  const chat = (word) => new Promise((resolve, reject) => {
    const socket = new WebSocket('wss://' + location.host + '/ws');
    socket.onopen = () => socket.send(word);
    socket.onmessage = ({ data }) => { socket.word = data; socket.close(4000, 'enough'); };
    socket.onclose = ({ code, wasClean }) => resolve([socket.word, code, wasClean]);
    socket.onerror = () => reject(new Error('no WebSocket'));
  });
  const call = async (type) => {
    const message = '\\0\\0\\0\\0\\x02hi';
    const body = type.includes('text') ? btoa(message) : message;
    const answer = await fetch('/test.Echo/Unary', { method: 'POST', headers: { 'content-type': type, accept: type }, body });
    const text = await answer.text();
    return type.includes('text') ? text.split(/(?<==)(?!=)/).map(atob).join('') : text;
  };
  return {
    chats: await Promise.all(['a', 'b', 'c'].map(chat)),
    calls: [await call('application/grpc-web'), await call('application/grpc-web-text')],
    protocol: performance.getEntriesByType('navigation')[0].nextHopProtocol,
  };
})()`;

test('Chromium has WebSockets and gRPC calls on the HTTP/2 connection of its page', needs('chromium'), async () => {
  await using ca = await testAuthority();
  await using grpc = await echoServer();
  const app = http.createServer((_, response) => response.setHeader('content-type', 'text/html').end('<p>page'));
  new WebSocketServer({ server: app }).on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  const gateway = ca.identity('gateway');
  const tls = {
    kind: 'certificate',
    certificatePem: gateway.certificateChainPem,
    privateKeyPem: gateway.privateKeyPem,
  } as const;
  const plain = listener('edge', 'table');
  const chains = plain.chains.map((chain) => ({ ...chain, tls, applicationProtocols: ['h2', 'http/1.1'] }));
  await using proxy = await startEngine({
    tables: tables(
      [{ ...plain, chains }],
      [
        routeTable('table', [
          route(forward('grpc'), { path: { kind: 'prefix', value: '/test.Echo' } }),
          route(forward('app')),
        ]),
      ],
      [cluster('app', [(app.address() as AddressInfo).port]), cluster('grpc', [grpc.port], { protocol: 'http2' })],
    ),
  });
  const browser = await chromium.launch({
    executablePath: program('chromium'),
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  });
  try {
    const page = await browser.newPage({ ignoreHTTPSErrors: true });
    await page.goto(`https://127.0.0.1:${proxy.port('edge')}/`);
    const opened = proxy.engine.telemetry.connectionsOpened.ingress;
    const { chats, calls, protocol } = (await page.evaluate(SCRIPT)) as {
      readonly chats: unknown;
      readonly calls: readonly string[];
      readonly protocol: string;
    };
    assert.equal(protocol, 'h2');
    assert.deepEqual(
      chats,
      ['a', 'b', 'c'].map((word) => [word, 4000, true]),
    );
    for (const answer of calls) assert.match(answer, /^\0\0\0\0\x02hi[^]{5}grpc-status:0\r\n/);
    // It may open one ahead of need, but none for each WebSocket.
    assert.ok(proxy.engine.telemetry.connectionsOpened.ingress <= opened + 1, 'they share a connection');
  } finally {
    await browser.close();
    app.closeAllConnections();
    app.close();
  }
});
