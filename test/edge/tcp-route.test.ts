import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ConnectionOptions } from 'node:tls';
import { Redis } from 'ioredis';
import { secretKind } from '../../api/kinds/secret.ts';
import { gateway, made, service, tcpRoute, worldObjects } from '../../control/xds/test-support/objects.ts';
import { Memo } from '../../control/xds/translate/memo.ts';
import { translate } from '../../control/xds/translate/translation.ts';
import type { ListenerConfig } from '../../proxy/listener/listener-config.ts';
import { startEngine } from '../../proxy/test-support/harness.ts';
import { cluster, tables } from '../../proxy/test-support/tables.ts';
import { decodeListener } from '../../proxy/xds/decode/listener.ts';
import { needs } from '../support/programs.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { certificateFor, type ServerCertificate } from './certificates.ts';

/** The ports of a Gateway with two TCPRoutes, as an ingress is told of them, but on ports that are free. */
function edgeListeners({ cert, key }: ServerCertificate): readonly ListenerConfig[] {
  const data = { 'tls.crt': Buffer.from(cert).toString('base64'), 'tls.key': Buffer.from(key).toString('base64') };
  const to = (sectionName: string): object => ({
    parentRefs: [{ name: 'edge', sectionName }],
    rules: [{ backendRefs: [{ name: 'redis', port: 6379 }] }],
  });
  const world = worldObjects({
    services: [service('redis', { port: 6379, appProtocol: 'redis' })],
    gateways: [
      gateway('edge', [
        { name: 'plain', port: 6379, protocol: 'TCP' },
        {
          name: 'secure',
          port: 6380,
          protocol: 'TLS',
          hostname: 'redis.example',
          tls: { mode: 'Terminate', certificateRefs: [{ name: 'cert' }] },
        },
      ]),
    ],
    tcpRoutes: [tcpRoute('plain', to('plain')), tcpRoute('secure', to('secure'))],
    tlsSecrets: [made(secretKind, { name: 'cert' }, { type: 'kubernetes.io/tls', data })],
  });
  const { listener } = translate(world, 'tutti.local', new Memo()).ingressProxy();
  return [...listener.values()].map(({ value }) => ({ ...decodeListener(value), address: '127.0.0.1', port: 0 }));
}

/** A port that leads to a server which has but a socket in the file system. */
async function portTo({ socketPath }: RedisServer): Promise<AsyncDisposable & { readonly port: number }> {
  const server = net.createServer((client) => {
    const redis = net.connect(socketPath);
    client.pipe(redis).pipe(client);
    client.on('error', () => redis.destroy());
    redis.on('error', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as net.AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}

test(
  'Redis is reached through TCPRoutes, in the clear and by TLS that ends at the Gateway',
  needs('redis-server', 'openssl'),
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tutti-tcp-route-'));
    await using stack = new AsyncDisposableStack();
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const certificate = await certificateFor('redis.example', folder);
    const redis = await startRedisServer();
    stack.defer(() => redis.dispose());
    const backend = stack.use(await portTo(redis));
    const edge = stack.use(
      await startEngine({
        tables: tables(edgeListeners(certificate), [], [cluster('service/default/redis/6379', [backend.port])]),
      }),
    );
    const client = (listener: string, more: { readonly tls?: ConnectionOptions } = {}): Redis => {
      const port = edge.port(`ingress/default/edge/${listener}`);
      const made = new Redis({ host: '127.0.0.1', port, lazyConnect: true, retryStrategy: () => null, ...more });
      made.on('error', () => undefined);
      stack.defer(() => made.disconnect());
      return made;
    };
    const secure = { tls: { servername: 'redis.example', ca: certificate.cert } };

    const [plain, ended, listening] = [client('6379'), client('6380', secure), client('6380', secure)];
    const heard = once(listening, 'message');
    await listening.subscribe('news');
    assert.equal(await plain.set('key', 'x'.repeat(300_000)), 'OK');
    assert.equal((await ended.get('key'))?.length, 300_000);
    assert.equal(await ended.publish('news', 'unasked'), 1);
    assert.deepEqual(await heard, ['news', 'unasked']);

    const stranger = client('6380', { tls: { servername: 'other.example', rejectUnauthorized: false } });
    await assert.rejects(stranger.connect(), 'a server name that no listener has is turned away');
  },
);
