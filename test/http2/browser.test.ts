import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { type Browser, chromium } from 'playwright-core';
import { WebSocketServer } from 'ws';
import { httpRoute } from '../../control/xds/test-support/objects.ts';
import { translateRules } from '../../control/xds/translate/rule.ts';
import { echoServer } from '../../proxy/test-support/grpc-peers.ts';
import { startEngine } from '../../proxy/test-support/harness.ts';
import { echoMessages, http2App } from '../../proxy/test-support/http2-websockets.ts';
import { testAuthority } from '../../proxy/test-support/mesh.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../../proxy/test-support/tables.ts';
import { decodeRouteTable } from '../../proxy/xds/decode/route.ts';
import { RouteConfiguration } from '../../xds/messages.js';
import { needs, program } from '../support/programs.ts';

/** In the page: three WebSockets at once to an app of HTTP/1.1, and as many to one of HTTP/2, and a gRPC call in both of gRPC-Web's forms. */
const SCRIPT = `(async () => {
  const chat = (path, word) => new Promise((resolve, reject) => {
    const socket = new WebSocket('wss://' + location.host + path);
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
    chats: await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((word, at) => chat(at < 3 ? '/ws' : '/http2/ws', word))),
    calls: [await call('application/grpc-web'), await call('application/grpc-web-text')],
    protocol: performance.getEntriesByType('navigation')[0].nextHopProtocol,
  };
})()`;

function launch(): Promise<Browser> {
  return chromium.launch({
    timeout: 120_000,
    executablePath: program('chromium'),
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  });
}

test(
  'Chromium has WebSockets, to apps of either version, and gRPC calls on the HTTP/2 connection of its page',
  needs('chromium'),
  async () => {
    await using ca = await testAuthority();
    await using grpc = await echoServer();
    await using http2 = await http2App(echoMessages);
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
            route(forward('http2'), { path: { kind: 'prefix', value: '/http2' } }),
            route(forward('app')),
          ]),
        ],
        [
          cluster('app', [(app.address() as AddressInfo).port]),
          cluster('grpc', [grpc.port], { protocol: 'http2' }),
          cluster('http2', [http2.port], { protocol: 'http2' }),
        ],
      ),
    });
    const browser = await launch();
    try {
      const page = await browser.newPage({ ignoreHTTPSErrors: true });
      page.setDefaultTimeout(120_000);
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
        ['a', 'b', 'c', 'd', 'e', 'f'].map((word) => [word, 4000, true]),
      );
      assert.deepEqual(
        http2.heads.map((head) => [head[':protocol'], head[':path']]),
        Array.from({ length: 3 }, () => ['websocket', '/http2/ws']),
      );
      for (const answer of calls) assert.match(answer, /^\0\0\0\0\x02hi[^]{5}grpc-status:0\r\n/);
      // It may open some ahead of need, but none for each of the six WebSockets.
      const more = proxy.engine.telemetry.connectionsOpened.ingress - opened;
      assert.ok(more < 3, `${more} more connections: they do not share one`);
    } finally {
      await browser.close();
      app.closeAllConnections();
      app.close();
    }
  },
);

/** In a page of another origin: a gRPC call as browsers make it, and one that is not allowed. */
const FOREIGN_SCRIPT = `(async (host) => {
  const call = async (method, headers) => {
    const body = '\\0\\0\\0\\0\\x02hi';
    try {
      const answer = await fetch('http://' + host + '/test.Echo/' + method, { method: 'POST', headers, body });
      return [answer.status, answer.headers.get('grpc-status'), (await answer.text()).slice(5, 7)];
    } catch (error) {
      return error.name;
    }
  };
  const web = { 'content-type': 'application/grpc-web', 'x-grpc-web': '1' };
  return [await call('Unary', web), await call('Absent', web), await call('Unary', { ...web, 'x-other': '1' })];
})`;

test('a page of an origin that an HTTPRoute allows makes gRPC calls; others do not', needs('chromium'), async () => {
  await using grpc = await echoServer();
  const pages = http.createServer((_, response) => response.setHeader('content-type', 'text/html').end('<p>page'));
  await new Promise<void>((resolve) => pages.listen(0, resolve));
  const { port } = pages.address() as AddressInfo;
  const cors = {
    allowOrigins: [`http://localhost:${port}`],
    allowMethods: ['POST'],
    allowHeaders: ['content-type', 'x-grpc-web'],
    exposeHeaders: ['grpc-status', 'grpc-message'],
  };
  const echo = httpRoute('echo', {
    rules: [
      {
        matches: [{ path: { value: '/test.Echo' }, method: 'POST' }],
        filters: [{ type: 'CORS', cors }],
        backendRefs: [{ name: 'echo', port: 80 }],
      },
    ],
  });
  const routes = translateRules(echo, () => ({ ok: true, cluster: 'grpc', service: 'echo', port: 80, http2: true }));
  const host = { name: 'all', domains: ['*'], routes: routes.map(({ message }) => message) };
  const table = decodeRouteTable(RouteConfiguration.encode({ name: 'table', virtualHosts: [host] }).finish());
  await using proxy = await startEngine({
    tables: tables([listener('edge', 'table')], [table], [cluster('grpc', [grpc.port], { protocol: 'http2' })]),
  });
  const browser = await launch();
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(120_000);
    const ask = async (name: string): Promise<unknown> => {
      await page.goto(`http://${name}:${port}/`);
      return page.evaluate(`${FOREIGN_SCRIPT}('127.0.0.1:${proxy.port('edge')}')`);
    };
    assert.deepEqual(await ask('localhost'), [[200, null, 'hi'], [200, '12', ''], 'TypeError']);
    assert.deepEqual(await ask('127.0.0.1'), ['TypeError', 'TypeError', 'TypeError']);
    const grpcDown = tables([listener('edge', 'table')], [table], [cluster('grpc', [], { protocol: 'http2' })]);
    await proxy.engine.apply(grpcDown);
    assert.deepEqual(await ask('localhost'), [[200, '14', ''], [200, '14', ''], 'TypeError']);
  } finally {
    await browser.close();
    pages.closeAllConnections();
    pages.close();
  }
});
