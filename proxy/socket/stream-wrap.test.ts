import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

/** Sends a request through a proxy, by a plain connection and one over mTLS, and says whether node's streams are known to it. */
const EXCHANGE = `
  const load = (path) => import(${JSON.stringify(import.meta.dirname)} + '/' + path);
  const { streamWrap } = await load('stream-wrap.ts');
  const { answering, rawExchange, rawUpstream, startEngine } = await load('../test-support/harness.ts');
  const { testAuthority } = await load('../test-support/mesh.ts');
  const { cluster, forward, listener, route, routeTable, tables } = await load('../test-support/tables.ts');
  await using ca = await testAuthority();
  await using app = await rawUpstream(answering('HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok'));
  const mesh = listener('mesh', 'm');
  const chains = mesh.chains.map((chain) => ({ ...chain, serverNames: ['a.b'], tls: { kind: 'mesh' } }));
  const setUp = (meshPort) => tables(
    [listener('in', 't'), { ...mesh, chains }],
    [routeTable('t', [route(forward('sidecar'))]), routeTable('m', [route(forward('app'))])],
    [cluster('app', [app.port]), cluster('sidecar', [meshPort], { tls: { serverName: 'a.b', spiffeIds: [ca.id('web')] } })],
  );
  await using proxy = await startEngine({ identity: ca.identity('web'), tables: setUp(1) });
  await proxy.engine.apply(setUp(proxy.port('mesh')));
  const answer = await rawExchange(proxy.port('in'), 'GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n');
  console.log((streamWrap === undefined ? 'unknown' : 'known') + ', answered ' + answer.slice(-2));
`;

for (const [node, flags, said] of [
  ['as it is', ['--pending-deprecation'], 'known, answered ok\n'],
  ['without process.binding', ['--import', 'data:text/javascript,delete process.binding'], 'unknown, answered ok\n'],
] as const) {
  test(`requests pass a proxy on a node ${node}, and no warning is printed`, { timeout: 60_000 }, async () => {
    const child = spawn(process.execPath, [...flags, '--input-type=module', '-e', EXCHANGE]);
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => void (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => void (err += text));
    await once(child, 'close');
    assert.deepEqual({ out, err }, { out: said, err: '' });
  });
}
