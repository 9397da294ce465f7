import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer as createHttpServer, request, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { endpointSliceKind } from '../api/kinds/endpoint-slice.ts';
import type { Kind, KubeObject } from '../api/kinds/kind.ts';
import { podKind } from '../api/kinds/pod.ts';
import { serviceKind } from '../api/kinds/service.ts';
import { APP_PORTS, MESH_ADDRESS } from '../api/meta/well-known.ts';
import { type Authority, openAuthority } from '../certs/authority/authority.ts';
import { createKeyAndCsr } from '../certs/workload/key-and-csr.ts';
import type { MeshIdentity } from '../certs/workload/mesh-identity.ts';
import { startXds, type Xds } from '../control/xds/run.ts';
import { FakeClient } from '../control/xds/test-support/fake-client.ts';
import { pod, service, slice } from '../control/xds/test-support/objects.ts';
import { systemClock } from '../kit/clock.ts';
import { silentLog } from '../kit/log.ts';
import { systemRandom } from '../kit/random.ts';
import { freePort } from '../test/support/free-port.ts';

const clock = systemClock();
const log = silentLog();
const TRUST_DOMAIN = 'tutti.local';
const WEB = `spiffe://${TRUST_DOMAIN}/ns/default/sa/web`;
const CONTROL = `spiffe://${TRUST_DOMAIN}/tutti/control`;

async function eventually<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = clock.monotonic() + 45_000;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (clock.monotonic() > deadline) throw new Error(`did not happen in time: ${what}`);
    await clock.sleep(10);
  }
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function get(
  address: string,
  port: number,
  path: string,
  headers: Record<string, string> = {},
): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const sent = request({ host: address, port, path, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.on('error', () => resolve(undefined));
    sent.end();
  });
}

/** A request every 5 ms on connections that are kept, whatever became of those before. */
function openLoop(address: string, port: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 16, scheduling: 'fifo' });
  const failures: string[] = [];
  const open = new Set<Promise<void>>();
  let answered = 0;
  const ask = (use: Agent | false): Promise<void> =>
    new Promise((resolve) => {
      const fail = (why: string): void => {
        failures.push(why);
        resolve();
      };
      const headers = { host: 'web' };
      const sent = request({ host: address, port, path: 'http://web/', headers, agent: use }, (response) => {
        response.resume();
        response.on('error', (error) => fail(error.message));
        response.on('end', () => {
          if (response.statusCode === 200) answered++;
          else failures.push(String(response.statusCode));
          resolve();
        });
      });
      sent.on('error', (error) => fail(error.message));
      sent.end();
    });
  let asks = 0;
  const timer = setInterval(() => {
    // Half of them on connections of their own: none is to be lost in a backlog.
    const asked = ask(asks++ % 2 === 0 ? agent : false);
    open.add(asked);
    void asked.finally(() => open.delete(asked));
  }, 5);
  return {
    answered: () => answered,
    stop: async () => {
      clearInterval(timer);
      await Promise.all(open);
      agent.destroy();
      return { answered, failures };
    },
  };
}

describe('the proxy process', () => {
  let folder = '';
  let authority: Authority;
  let xds: Xds;
  let client: FakeClient;
  const closers: (() => void)[] = [];
  const children: ChildProcess[] = [];

  const put = <T extends KubeObject>(kind: Kind<T>, object: T): void => client.put(kind as unknown as Kind, object);

  function issue(spiffeId: string): MeshIdentity {
    const { privateKeyPem, csrPem } = createKeyAndCsr(spiffeId);
    const issued = authority.issueSvid({ csrPem, spiffeId });
    return { generation: 1, spiffeId, privateKeyPem, trustBundlePem: authority.trustBundlePem, ...issued };
  }

  /** The API server's SvidRequest, and nothing else. */
  async function startSvidServer(): Promise<string> {
    const { certificateChainPem, privateKeyPem } = authority.issueServing({ dnsNames: [], ipAddresses: ['127.0.0.1'] });
    const server = createServer({ cert: certificateChainPem, key: privateKeyPem }, (incoming, response) => {
      let body = '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      incoming.on('end', () => {
        assert.equal(incoming.headers.authorization, 'Bearer web-token');
        const { spec } = JSON.parse(body) as { spec: { csr: string } };
        const { certificateChainPem: certificateChain } = authority.issueSvid({ csrPem: spec.csr, spiffeId: WEB });
        response.end(JSON.stringify({ status: { certificateChain, trustBundle: authority.trustBundlePem } }));
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    closers.push(() => server.close());
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tutti-proxy-'));
    authority = await openAuthority({ folder: join(folder, 'ca'), trustDomain: TRUST_DOMAIN, clock, log });
    client = new FakeClient();
    const identity = { current: () => issue(CONTROL), onChange: () => () => {} };
    const options = { client, clock, random: systemRandom(), log, address: '127.0.0.1', port: 0 };
    xds = await startXds({ ...options, identity, trustDomain: TRUST_DOMAIN });
  });
  after(async () => {
    for (const child of children) child.kill('SIGKILL');
    for (const close of closers) close();
    await xds.close();
    rmSync(folder, { recursive: true });
  });

  function start(bootstrap: object, ...flags: string[]): ChildProcess {
    const path = join(folder, 'bootstrap.json');
    writeFileSync(path, JSON.stringify(bootstrap));
    const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), '--bootstrap', path, ...flags], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'cache') },
    });
    children.push(child);
    return child;
  }

  /** A pod of the service `web`, alone in it, whose app listens at the port; gives its sidecar's bootstrap. */
  async function sidecarOf(name: string, podAddress: string, appPort: number) {
    const meshPort = await freePort();
    const admin = { address: '127.0.0.1', port: await freePort() };
    const annotations = { [MESH_ADDRESS]: `127.0.0.1:${meshPort}`, [APP_PORTS]: JSON.stringify({ 8080: appPort }) };
    const web = pod(name, { serviceAccount: 'web', annotations });
    const placed = { ...web, status: { ...web.status, podIP: podAddress } };
    put(podKind, placed);
    put(serviceKind, service('web'));
    put(endpointSliceKind, slice('web', [placed]));
    writeFileSync(join(folder, 'token'), 'web-token\n');
    writeFileSync(join(folder, 'ca.pem'), authority.trustBundlePem);
    return {
      mode: 'sidecar',
      nodeId: `sidecar/default/${name}`,
      namespace: 'default',
      name,
      serviceAccount: 'web',
      trustDomain: TRUST_DOMAIN,
      podAddress,
      api: { server: await startSvidServer(), caFile: join(folder, 'ca.pem'), tokenFile: join(folder, 'token') },
      xdsAddress: `127.0.0.1:${xds.port}`,
      admin,
      stateFolder: join(folder, 'state', name),
      logLevel: 'info',
      meshPort,
    };
  }

  test('gets its identity and configuration, carries requests over mTLS, and goes when told', {
    timeout: 120_000,
  }, async () => {
    const app = createHttpServer((incoming, response) => {
      response.end(
        `hello from ${incoming.headers.host ?? ''} to ${String(incoming.headers['x-forwarded-client-cert'])}`,
      );
    }).listen(0, '127.0.0.1');
    await once(app, 'listening');
    closers.push(() => app.close());
    // Of no node's range, so that no pod beside this test has it.
    const podAddress = '127.121.3.7';
    const { meshPort, ...bootstrap } = await sidecarOf('web-1', podAddress, (app.address() as AddressInfo).port);
    const adminPort = bootstrap.admin.port;
    const child = start({ ...bootstrap, logLevel: 'warn' });
    await eventually('ready', async () => (await get('127.0.0.1', adminPort, '/ready'))?.status === 200);

    // As an app does with HTTP_PROXY: to its own sidecar, and from there over mTLS to the mesh port of the very same.
    const answer = await get(podAddress, 15_001, 'http://web/', { host: 'web' });
    assert.equal(answer?.status, 200);
    assert.equal(answer.body, `hello from web to By=${WEB};URI=${WEB}`);

    const plain = connect(meshPort, '127.0.0.1');
    plain.end('GET / HTTP/1.1\r\nHost: web\r\n\r\n');
    let heard = '';
    plain.setEncoding('latin1').on('data', (chunk: string) => {
      heard += chunk;
    });
    plain.on('error', () => {});
    // Not once(): it fails when the connection is reset, which is as good an end.
    await new Promise((resolve) => plain.on('close', resolve));
    assert.ok(!heard.startsWith('HTTP/1.1 200'), 'plain text was let in');

    const config = await get('127.0.0.1', adminPort, '/config');
    assert.match(config?.body ?? '', /"connected": true/);
    await eventually('load at the control plane', async () =>
      xds.listProxies()[0]?.status.load.some(({ service: name, success }) => name === 'web.default' && success >= 1),
    );

    // What it has compiled is there for the next one, which starts while this one runs.
    const kept = (): string[] => readdirSync(join(folder, 'cache'), { encoding: 'utf8', recursive: true });
    await eventually('compiled code on disk', async () => kept().length > 50);

    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
    assert.match(readFileSync(join(folder, 'state', 'web-1', 'last-good.json'), 'utf8'), /"format":1/);
  });

  for (const [first, ...successors] of [
    [1, 1, 3, 2, 1],
    [2, 2, 1, 2],
  ] as const) {
    const restarts = successors.length;
    test(`${restarts} hot restarts under load fail no request and cut nothing: workers ${first}, then ${successors.join(', ')}`, {
      timeout: 300_000,
    }, async () => {
      const slow: ServerResponse[] = [];
      const app = createHttpServer((incoming, response) => {
        if (incoming.url === '/slow') slow.push(response);
        else response.end('ok');
      });
      app.on('upgrade', (_, socket: Socket) => {
        socket.on('error', () => {});
        socket.on('end', () => socket.end());
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
        socket.on('data', (data: Buffer) => socket.write(data));
      });
      await once(app.listen(0, '127.0.0.1'), 'listening');
      closers.push(() => app.close());
      const podAddress = `127.121.4.${first}`;
      const { meshPort: _, ...bootstrap } = await sidecarOf(
        `web-hot-${first}`,
        podAddress,
        (app.address() as AddressInfo).port,
      );
      const ended: number[] = [];
      const run = (workers: number): { readonly said: () => string } => {
        const child = start(bootstrap, '--concurrency', String(workers), '--drain-time-s', '100', '--hot-restart');
        let text = '';
        child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        child.on('exit', (code) => ended.push(code ?? -1));
        return { said: () => text };
      };
      run(first);
      const isReady = async () => (await get('127.0.0.1', bootstrap.admin.port, '/ready'))?.status === 200;
      await eventually('ready', isReady);

      const held = get(podAddress, 15_001, 'http://web/slow', { host: 'web' });
      await eventually('the long request is at the app', () => Promise.resolve(slow.length === 1));
      const websocket = connect(15_001, podAddress);
      let echoed = '';
      websocket.setEncoding('latin1').on('data', (chunk: string) => {
        echoed += chunk;
      });
      websocket.write(
        'GET http://web/ws HTTP/1.1\r\nHost: web\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      );
      await eventually('the WebSocket is open', () => Promise.resolve(echoed.startsWith('HTTP/1.1 101')));

      const load = openLoop(podAddress, 15_001);
      for (const [at, workers] of successors.entries()) {
        const restart = at + 1;
        const next = run(workers);
        const before = load.answered();
        await eventually('the successor has taken over', () =>
          Promise.resolve(next.said().includes('this process has taken over')),
        );
        await eventually('the admin port is answered by the successor', isReady);
        await eventually('it carries requests', () => Promise.resolve(load.answered() >= before + 20));
        websocket.write(`still ${restart};`);
        if (restart === 1) {
          slow[0]?.end('slow');
          assert.equal((await held)?.body, 'slow');
        }
        await eventually('the WebSocket echoes', () => Promise.resolve(echoed.endsWith(`still ${restart};`)));
      }
      const { answered, failures } = await load.stop();
      assert.deepEqual(failures, []);
      assert.ok(answered >= restarts * 20);
      await eventually('those between have ended', () => Promise.resolve(ended.length === restarts - 1));
      websocket.end();
      await eventually('the first has ended with its last connection', () =>
        Promise.resolve(ended.length === restarts),
      );
      assert.deepEqual(new Set(ended), new Set([0]));
      await eventually('the last is ready', isReady);
      children.at(-1)?.kill('SIGTERM');
      await eventually('the last has ended', () => Promise.resolve(ended.length === restarts + 1));
      assert.equal(ended.at(-1), 0);
    });
  }

  test('refuses a wrong bootstrap file with the file, the field and what is wanted', { timeout: 120_000 }, async () => {
    const child = start({ mode: 'edge' });
    let text = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    const [code] = (await once(child, 'exit')) as [number];
    assert.equal(code, 1);
    assert.match(text, /bootstrap\.json": bootstrap field/);
  });
});
