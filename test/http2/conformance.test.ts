import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';
import { promisify } from 'node:util';
import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';
import type { FilterChain } from '../../proxy/listener/listener-config.ts';
import { type RunningEngine, startEngine } from '../../proxy/test-support/harness.ts';
import { type TestServer, testServer } from '../../proxy/test-support/http2-peers.ts';
import { type TestAuthority, testAuthority } from '../../proxy/test-support/mesh.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../../proxy/test-support/tables.ts';
import { needs, program } from '../support/programs.ts';

const run = promisify(execFile);
const MESH_NAME = '8080.port.tutti.internal';

/**
 * On a port without TLS, what does not begin with HTTP/2's preface is HTTP/1.1, and is answered as that before the connection is
 * closed; h2spec wants it closed without a word.
 */
const SPOKEN_TO_AS_HTTP1 = ['http2/3.5: Sends invalid connection preface'];

interface Report {
  readonly tests: number;
  readonly failed: readonly string[];
}

/** Runs every case in strict mode; the report is JUnit's XML, of which only names and failures are of interest. */
async function h2spec(port: number, ...flags: readonly string[]): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-h2spec-'));
  const report = join(folder, 'report.xml');
  const args = ['-h', '127.0.0.1', '-p', String(port), '--strict', '-o', '20', '-j', report, ...flags];
  // Its exit code says only that something failed.
  const { stdout } = await run(program('h2spec'), args, { timeout: 200_000 }).catch((error: { stdout?: string }) => ({
    stdout: error.stdout ?? '',
  }));
  try {
    const xml = readFileSync(report, 'utf8');
    const cases = [
      ...xml.matchAll(/<testcase package="[^"]*" classname="([^"]*)"[^>]*?(\/>|>([\s\S]*?)<\/testcase>)/g),
    ];
    const failed = cases
      .filter(([, , , inside = '']) => /<(failure|error)/.test(inside))
      .map(([whole]) => nameOf(whole));
    return { tests: cases.length, failed };
  } catch (error) {
    throw new Error(`h2spec left no report; it said: ${stdout.slice(-2000)}`, { cause: error });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const nameOf = (testcase: string): string => {
  const [, section = ''] = /package="([^"]*)"/.exec(testcase) ?? [];
  const [, name = ''] = /classname="([^"]*)"/.exec(testcase) ?? [];
  return `${section}: ${name}`.replaceAll('&#39;', "'");
};

/** h2spec shows no certificate of its own: its bytes are carried over mTLS by a workload of the mesh. */
async function throughMtls(meshPort: number, identity: MeshIdentity) {
  const server = net.createServer((client) => {
    const mesh = tls.connect({
      host: '127.0.0.1',
      port: meshPort,
      servername: MESH_NAME,
      cert: identity.certificateChainPem,
      key: identity.privateKeyPem,
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
    });
    client.on('error', () => mesh.destroy());
    mesh.on('error', () => client.destroy());
    client.pipe(mesh).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

describe('HTTP/2 as others see it', { timeout: 450_000 }, () => {
  let ca: TestAuthority;
  let app: TestServer;
  let proxy: RunningEngine;

  before(async () => {
    ca = await testAuthority();
    app = await testServer('HTTP/1.1', (request, response, body) => {
      response.setHeader('content-type', 'text/plain');
      response.end(`${request.method} ${request.url} ${body.length}`);
    });
    const gateway = ca.identity('gateway');
    const withTls = (
      name: string,
      direction: 'ingress' | 'inbound',
      chain: Partial<Pick<FilterChain, 'serverNames' | 'tls'>>,
    ) => {
      const plain = listener(name, 'table', { direction });
      return { ...plain, chains: plain.chains.map((one) => ({ ...one, ...chain })) };
    };
    proxy = await startEngine({
      identity: ca.identity('app'),
      tables: tables(
        [
          listener('plain', 'table'),
          withTls('edge', 'ingress', {
            tls: {
              kind: 'certificate',
              certificatePem: gateway.certificateChainPem,
              privateKeyPem: gateway.privateKeyPem,
            },
          }),
          withTls('mesh', 'inbound', { serverNames: [MESH_NAME], tls: { kind: 'mesh' } }),
        ],
        [routeTable('table', [route(forward('app'))])],
        [cluster('app', [app.port])],
      ),
    });
  });

  after(async () => {
    await proxy[Symbol.asyncDispose]();
    await app[Symbol.asyncDispose]();
    await ca[Symbol.asyncDispose]();
  });

  test('h2spec, strict, at a Gateway with TLS: every case', { ...needs('h2spec') }, async () => {
    assert.deepEqual(await h2spec(proxy.port('edge'), '-t', '-k'), { tests: 146, failed: [] });
  });

  test("h2spec, strict, at a sidecar's mesh port: every case", { ...needs('h2spec') }, async () => {
    const relay = await throughMtls(proxy.port('mesh'), ca.identity('web'));
    try {
      assert.deepEqual(await h2spec(relay.port), { tests: 146, failed: [] });
    } finally {
      relay.close();
    }
  });

  test('h2spec, strict, with prior knowledge: all but the one that is HTTP/1.1 there', {
    ...needs('h2spec'),
  }, async () => {
    assert.deepEqual(await h2spec(proxy.port('plain')), { tests: 146, failed: SPOKEN_TO_AS_HTTP1 });
  });

  test('curl speaks HTTP/2 by ALPN and with prior knowledge, and HTTP/1.1 at the same ports', {
    ...needs('curl'),
  }, async () => {
    const version = async (...args: readonly string[]): Promise<string> => {
      const { stdout } = await run(program('curl'), [
        '-sSk',
        '-m',
        '30',
        '-w',
        ' %{http_version} %{http_code}',
        ...args,
      ]);
      return stdout;
    };
    const edge = `https://127.0.0.1:${proxy.port('edge')}/x`;
    const plain = `http://127.0.0.1:${proxy.port('plain')}/x`;
    assert.equal(await version('--http2', edge), 'GET /x 0 2 200');
    assert.equal(await version('--http1.1', edge), 'GET /x 0 1.1 200');
    assert.equal(await version('--http2-prior-knowledge', plain), 'GET /x 0 2 200');
    assert.equal(await version('--http2-prior-knowledge', '-d', 'a'.repeat(100_000), plain), 'POST /x 100000 2 200');
    // An offer to upgrade (RFC 7540) is one that RFC 9113 has taken back: the request is served as what it is.
    assert.equal(await version('--http2', plain), 'GET /x 0 1.1 200');
  });
});
