import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { openAuthority } from '../../certs/authority/authority.ts';
import { createKeyAndCsr } from '../../certs/workload/key-and-csr.ts';
import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { systemRandom } from '../../kit/random.ts';
import { createEngine } from '../../proxy/data-plane.ts';
import type { Engine } from '../../proxy/engine.ts';
import { AdsClient } from '../../proxy/xds/ads-client.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { needs, program } from '../support/programs.ts';

const CONTROL = 'spiffe://tutti.local/tutti/control';

interface Snapshot {
  readonly version: string;
  readonly listeners: readonly { readonly name: string; readonly port: number; readonly route: string }[];
  readonly routes: readonly { readonly name: string; readonly cluster: string }[];
  readonly clusters: readonly { readonly name: string; readonly port: number }[];
}

interface Event {
  readonly event: 'listening' | 'request' | 'response';
  readonly mode?: 'sotw' | 'delta';
  readonly type?: string;
  readonly nonce?: string;
  readonly error?: string;
  readonly port?: number;
  readonly resources?: number;
}

for (const variant of ['sotw', 'delta'] as const) {
  describe(`our proxy, driven by go-control-plane, ${variant}`, {
    timeout: 240_000,
    ...needs('go-control-plane'),
  }, () => {
    const clock = systemClock();
    const node = `referee-${variant}`;
    const events: Event[] = [];
    const upstreams: Server[] = [];
    let folder = '';
    let server: ChildProcess;
    let engine: Engine;
    let ads: AdsClient;

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'tutti-gcp-'));
      const log = silentLog();
      const authority = await openAuthority({ folder, trustDomain: 'tutti.local', clock, log });
      const issue = (spiffeId: string): MeshIdentity => {
        const { privateKeyPem, csrPem } = createKeyAndCsr(spiffeId);
        const issued = authority.issueSvid({ csrPem, spiffeId });
        return { generation: 1, spiffeId, privateKeyPem, trustBundlePem: authority.trustBundlePem, ...issued };
      };
      const [own, proxy] = [issue(CONTROL), issue('spiffe://tutti.local/ns/default/sa/default')];
      writeFileSync(join(folder, 'server.pem'), `${own.certificateChainPem}\n${own.privateKeyPem}`, { mode: 0o600 });
      writeFileSync(join(folder, 'ca.pem'), authority.trustBundlePem);
      const args = ['-cert', join(folder, 'server.pem'), '-ca', join(folder, 'ca.pem'), '-node', node];
      server = spawn(program('go-control-plane'), args, { stdio: ['pipe', 'pipe', 'inherit'] });
      if (server.stdout === null) throw new Error('no output');
      createInterface({ input: server.stdout }).on('line', (line) => void events.push(JSON.parse(line) as Event));
      const port = await eventually('the server listens', () => events[0]?.port);
      const accessLog = { format: 'json', sink: () => {} } as const;
      engine = createEngine({ clock, random: systemRandom(), log, accessLog });
      engine.setIdentity(proxy);
      ads = new AdsClient({
        address: `127.0.0.1:${port}`,
        node: { id: node, cluster: 'test' },
        variant,
        controlSpiffeId: CONTROL,
        identity: () => proxy,
        engine,
        clock,
        random: systemRandom(),
        log,
        restore: () => Promise.resolve(undefined),
        onGood: () => {},
      });
    });
    after(async () => {
      await ads.close();
      await engine.close();
      for (const upstream of upstreams) upstream.close();
      server.kill();
      rmSync(folder, { recursive: true });
    });

    const upstream = async (name: string): Promise<number> => {
      const one = createServer((_, response) => response.end(name)).listen(0, '127.0.0.1');
      await once(one, 'listening');
      upstreams.push(one);
      return (one.address() as AddressInfo).port;
    };
    const set = (snapshot: Snapshot): void => void server.stdin?.write(`${JSON.stringify(snapshot)}\n`);
    const get = (port: number): Promise<string> =>
      new Promise((resolve) => {
        const asked = request({ host: '127.0.0.1', port, agent: false }, (response) => {
          let body = '';
          response.on('data', (data: Buffer) => void (body += data.toString()));
          response.on('end', () => resolve(body));
        });
        asked.on('error', (error) => resolve(error.message));
        asked.end();
      });
    const refusals = (): readonly string[] =>
      events.flatMap(({ error }) => (error === undefined || error === '' ? [] : [error]));

    test('listeners, routes, clusters and endpoints come, move and go, and requests follow', async () => {
      const [one, other] = [await upstream('one'), await upstream('other')];
      const [first, second] = [await freePort(), await freePort()];
      const listener = { name: 'first', port: first, route: 'r' };
      set({
        version: '1',
        listeners: [listener],
        routes: [{ name: 'r', cluster: 'a' }],
        clusters: [{ name: 'a', port: one }],
      });
      ads.start();
      await eventually('a request reaches the first upstream', async () => (await get(first)) === 'one');

      // The cluster is another, then a second listener comes, then the first goes.
      set({
        version: '2',
        listeners: [listener],
        routes: [{ name: 'r', cluster: 'b' }],
        clusters: [
          { name: 'a', port: one },
          { name: 'b', port: other },
        ],
      });
      await eventually('requests move to the other upstream', async () => (await get(first)) === 'other');
      const both = [listener, { name: 'second', port: second, route: 'r2' }];
      const routes = [
        { name: 'r', cluster: 'b' },
        { name: 'r2', cluster: 'a' },
      ];
      const clusters = [
        { name: 'a', port: one },
        { name: 'b', port: other },
      ];
      set({ version: '3', listeners: both, routes, clusters });
      await eventually('the second listener serves', async () => (await get(second)) === 'one');
      assert.equal(await get(first), 'other');
      set({
        version: '4',
        listeners: both.slice(1),
        routes: routes.slice(1),
        clusters: [{ name: 'a', port: other }],
      });
      await eventually('the first listener is gone', async () => /ECONNREFUSED|ECONNRESET/.test(await get(first)));
      await eventually('endpoints moved', async () => (await get(second)) === 'other');

      assert.deepEqual(refusals(), []);
      const spoken = new Set(events.flatMap(({ mode }) => mode ?? []));
      assert.deepEqual([...spoken], [variant], 'one variant is spoken, and no other');
      await eventually('every response is answered', () => {
        const answered = new Set(events.flatMap(({ event, nonce }) => (event === 'request' ? (nonce ?? []) : [])));
        return events.every(({ event, nonce = '' }) => event !== 'response' || answered.has(nonce));
      });
    });
  });
}
