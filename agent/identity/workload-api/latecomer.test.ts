import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { type Clock, systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { seededRandom } from '../../../kit/random.ts';
import { RELAYED } from '../../grpc/xds-relay.ts';
import { readProcEntry } from '../../runtime/process/host/proc-table.ts';
import { eventually } from '../../testing/eventually.ts';
import { WorkloadIdentity } from '../workload-identity.ts';
import { openPeerReader } from './peer-credentials.ts';
import { serveWorkloadApi } from './workload-api.ts';

/** An identity that is never asked for: who gets it is what matters. */
function someIdentity(folder: string, clock: Clock): WorkloadIdentity {
  return new WorkloadIdentity({
    spiffeId: 'spiffe://test.local/ns/default/sa/default',
    tokenFile: join(folder, 'token'),
    order: { namespace: 'default', serviceAccount: 'default', expirationSeconds: 3600 },
    api: { server: 'https://127.0.0.1:1', caFile: join(folder, 'ca.crt') },
    asker: 'agent',
    generation: () => 0,
    issue: () => Promise.reject(new Error('not asked for')),
    clock,
    random: seededRandom(1),
    log: silentLog(),
  });
}

/** The socket, whose one pod is this process as soon as that is `known`; a client of it that keeps its channel. */
async function apiOf(t: TestContext, adopted: Promise<void>) {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-latecomer-'));
  const socketPath = join(folder, 'workload.sock');
  const clock = systemClock();
  const identity = someIdentity(folder, clock);
  const leaders = new Map<number, WorkloadIdentity>();
  const readPeer = openPeerReader();
  assert.ok(readPeer !== undefined);
  const came = Promise.withResolvers<void>();
  const server = await serveWorkloadApi({
    socketPath,
    readPeer: (socket) => {
      came.resolve();
      return readPeer(socket);
    },
    lineage: readProcEntry,
    leaders: () => leaders,
    adopted,
    // Says whose the stream is.
    relay: (_method, call, caller) =>
      call.emit('error', {
        code: caller === undefined ? status.PERMISSION_DENIED : status.ABORTED,
        details: caller?.spiffeId ?? 'nobody',
      }),
    clock,
    log: silentLog(),
  });
  const client = new Client(`unix://${socketPath}`, credentials.createInsecure());
  t.after(async () => {
    client.close();
    await server.close();
    await identity.close();
    await rm(folder, { recursive: true });
  });
  const { path } = RELAYED.streamAggregatedResources;
  const asItIs = (bytes: Buffer): Buffer => bytes;
  const ask = (): Promise<string> =>
    new Promise((resolve) => {
      const stream = client.makeBidiStreamRequest(path, asItIs, asItIs);
      stream.on('error', ({ details }: ServiceError) => resolve(details));
    });
  return { ask, came: came.promise, known: () => leaders.set(process.pid, identity), id: identity.spiffeId };
}

test('a process that was refused is served on the same channel once it is known', { timeout: 120_000 }, async (t) => {
  const { ask, known, id } = await apiOf(t, Promise.resolve());
  assert.equal(await ask(), 'nobody');
  known();
  await eventually('it is served', async () => (await ask()) === id);
});

test('a process that comes while pods are taken over is answered when they are', { timeout: 120_000 }, async (t) => {
  const adoption = Promise.withResolvers<void>();
  const { ask, came, known, id } = await apiOf(t, adoption.promise);
  const answer = ask();
  await came;
  known();
  adoption.resolve();
  assert.equal(await answer, id);
});
