import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { meshServerName } from '../../api/meta/well-known.ts';
import type { ListenerConfig, WeightedTarget } from '../../proxy/listener/listener-config.ts';
import { eventually, rawExchange, startEngine } from '../../proxy/test-support/harness.ts';
import { testAuthority } from '../../proxy/test-support/mesh.ts';
import { cluster, listener, tables } from '../../proxy/test-support/tables.ts';
import { needs, program } from '../support/programs.ts';
import { backend } from './backend.ts';
import { certificateFor, type ServerCertificate } from './certificates.ts';

const run = promisify(execFile);
const MESH_NAME = meshServerName(8443);

/** Says who it is, and that nobody has read its requests. */
function named(name: string, certificate: ServerCertificate): ReturnType<typeof backend> {
  return backend(
    ({ socket, headers }) =>
      `${name} over ${socket.constructor.name}, ${String(headers['x-forwarded-for'] ?? 'untouched')}`,
    certificate,
  );
}

/** As the control plane tells an ingress of a Gateway's listener with mode Passthrough. */
function edgeListener(
  names: readonly (readonly [serverName: string, targets: readonly WeightedTarget[]])[],
): ListenerConfig {
  return {
    ...listener('edge', ''),
    opening: { look: 'server-name', timeoutMs: 3000 },
    chains: names.map(([serverName, weighted]) => ({
      name: serverName,
      serverNames: [serverName],
      applicationProtocols: [],
      tls: undefined,
      tcp: { weighted },
    })),
  };
}

test(
  'TLS goes to its backend by server name, which shows its own certificate, through the mesh or not',
  needs('openssl', 'curl'),
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tutti-passthrough-'));
    await using stack = new AsyncDisposableStack();
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const [one, two] = await Promise.all(['one.example', 'two.example'].map((name) => certificateFor(name, folder)));
    assert.ok(one !== undefined && two !== undefined);
    const ca = stack.use(await testAuthority());
    const first = stack.use(await named('first', one));
    const second = stack.use(await named('second', two));
    // The second is behind a sidecar.
    const callee = stack.use(
      await startEngine({
        tables: tables(
          [
            {
              ...listener('inbound', '', { direction: 'inbound' }),
              chains: [
                {
                  name: 'tcp',
                  serverNames: [MESH_NAME],
                  applicationProtocols: [],
                  tls: { kind: 'mesh' },
                  tcp: { cluster: 'app' },
                },
              ],
            },
          ],
          [],
          [cluster('app', [second.port])],
        ),
        identity: ca.identity('second'),
      }),
    );
    const secure = { serverName: MESH_NAME, spiffeIds: [ca.id('second')] };
    const edge = stack.use(
      await startEngine({
        tables: tables(
          [
            edgeListener([
              [
                'one.example',
                [
                  { cluster: 'nowhere', weight: 0 },
                  { cluster: 'first', weight: 1 },
                ],
              ],
              ['gone.example', [{ cluster: 'nowhere', weight: 1 }]],
              ['*.example', [{ cluster: 'second', weight: 1 }]],
            ]),
          ],
          [],
          [
            cluster('first', [first.port]),
            cluster('second', [callee.port('inbound')], { tls: secure }),
            cluster('nowhere', []),
          ],
        ),
        identity: ca.identity('edge'),
      }),
    );
    const port = edge.port('edge');
    const curl = async (name: string, { path }: ServerCertificate, ...more: readonly string[]): Promise<string> => {
      const at = ['--resolve', `${name}:${port}:127.0.0.1`, '--cacert', path, `https://${name}:${port}/`];
      return (await run(program('curl'), ['-sS', '--max-time', '60', ...more, ...at])).stdout;
    };

    assert.equal(await curl('one.example', one), 'first over TLSSocket, untouched');
    assert.equal(await curl('two.example', two, '--tls-max', '1.2'), 'second over TLSSocket, untouched');
    const openssl = (...more: readonly string[]): Promise<string> =>
      new Promise((resolve) => {
        const child = execFile(
          program('openssl'),
          ['s_client', '-connect', `127.0.0.1:${port}`, ...more],
          (_, out, err) => resolve(out + err),
        );
        child.stdin?.end();
      });
    assert.match(await openssl('-servername', 'TWO.example'), /subject=CN ?= ?two\.example/);
    // Each of these is told, and none is kept waiting.
    assert.match(await openssl('-servername', 'one.elsewhere'), /unrecognized name/);
    assert.match(await openssl('-noservername'), /unrecognized name/);
    assert.doesNotMatch(await openssl('-servername', 'gone.example'), /subject=/);
    assert.equal(await rawExchange(port, 'GET / HTTP/1.1\r\nHost: one.example\r\n\r\n'), '');
    assert.equal(await rawExchange(port, '\x16\x03\x01\x02\x00'), '');
    const { tlsRefusals, connectionsOpen } = edge.engine.telemetry;
    assert.deepEqual(Object.fromEntries(tlsRefusals), { 'server\nunknown-server-name': 2, 'server\nhandshake': 2 });
    await eventually(() => connectionsOpen.ingress === 0, 'all have ended');
  },
);
