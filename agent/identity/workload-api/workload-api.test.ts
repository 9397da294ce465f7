import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { serviceAccountKind } from '../../../api/kinds/service-account.ts';
import { WorkloadApi } from '../../../certs/workload/spiffe-api/methods.ts';
import { isReady, type TestNode, testNode } from '../../../test/support/agent-node.ts';
import { RELAYED } from '../../grpc/xds-relay.ts';
import { eventually } from '../../testing/eventually.ts';
import { serverContainer, shellContainer } from '../../testing/pod-specs.ts';
import { openPeerReader } from './peer-credentials.ts';

const WORKLOAD = join(import.meta.dirname, '..', '..', 'testing', 'workload.ts');
const ID = 'spiffe://test.local/ns/default/sa';

function asking(id: string): string {
  return `exec ${process.execPath} ${WORKLOAD} ${id}`;
}

/** What a container of a pod has printed. */
async function printed(node: TestNode, podName: string, container = 'app'): Promise<readonly string[]> {
  const folder = join(node.podFolder(await node.get(podName)), 'containers', container);
  const files = await readdir(folder, { recursive: true }).catch(() => []);
  const texts = await Promise.all(
    files.filter((name) => name.endsWith('log')).map((name) => readFile(join(folder, name), 'utf8')),
  );
  return texts
    .join('')
    .split('\n')
    .filter((line) => line.startsWith('spiffe://'));
}

/** How a call of this process, which is of no pod, ends. */
function refusalOf(socket: string, path: string, header: string | undefined): Promise<ServiceError> {
  const client = new Client(`unix://${socket}`, credentials.createInsecure());
  const metadata = new Metadata();
  if (header !== undefined) metadata.set('workload.spiffe.io', header);
  const stream = client.makeServerStreamRequest(
    path,
    () => Buffer.alloc(0),
    (bytes) => bytes,
    {},
    metadata,
  );
  return new Promise<ServiceError>((resolve, reject) => {
    stream.on('data', () => reject(new Error('was given an answer')));
    stream.on('error', (error: ServiceError) => resolve(error));
  }).finally(() => client.close());
}

test('each pod gets its own identity by the socket, whatever it asks for, and processes of no pod get none', {
  timeout: 120_000,
}, async (t) => {
  const node = await testNode(t);
  await node.admin.create(serviceAccountKind, { metadata: { name: 'other', namespace: 'default' } });
  await node.start();
  await node.run('web', { containers: [shellContainer(asking(`${ID}/default`))] });
  // Without a sidecar, and by way of a child.
  await node.run(
    'bare',
    { serviceAccountName: 'other', containers: [shellContainer(`(${asking(`${ID}/other`)}) & wait`)] },
    { annotations: { 'tutti.dev/inject': 'false' } },
  );
  const lines = (name: string) =>
    eventually(`${name} prints`, async () => {
      const all = await printed(node, name);
      return all.length > 0 ? all : undefined;
    });
  assert.match((await lines('web'))[0] ?? '', new RegExp(`^${ID}/default [0-9A-F]{32}$`));
  assert.match((await lines('bare'))[0] ?? '', new RegExp(`^${ID}/other `));

  const socket = join(node.agentFolder, 'workload.sock');
  assert.equal((await stat(socket)).mode & 0o777, 0o666);
  for (const [path, header, code, details] of [
    [WorkloadApi.fetchX509Svid.path, undefined, status.INVALID_ARGUMENT, /"workload.spiffe.io: true" is missing/],
    [WorkloadApi.fetchX509Svid.path, 'yes', status.INVALID_ARGUMENT, /is missing/],
    [WorkloadApi.fetchX509Svid.path, 'true', status.PERMISSION_DENIED, /belongs to no pod of this node/],
    [WorkloadApi.fetchX509Bundles.path, 'true', status.PERMISSION_DENIED, /belongs to no pod of this node/],
    [RELAYED.streamAggregatedResources.path, undefined, status.PERMISSION_DENIED, /belongs to no pod of this node/],
    [RELAYED.streamLoadStats.path, undefined, status.PERMISSION_DENIED, /belongs to no pod of this node/],
    ['/SpiffeWorkloadAPI/FetchJWTSVID', 'true', status.UNIMPLEMENTED, /FetchJWTSVID/],
    ['/SpiffeWorkloadAPI/FetchJWTBundles', 'true', status.UNIMPLEMENTED, /FetchJWTBundles/],
    ['/SpiffeWorkloadAPI/ValidateJWTSVID', 'true', status.UNIMPLEMENTED, /ValidateJWTSVID/],
  ] as const) {
    const error = await refusalOf(socket, path, header);
    assert.deepEqual([path, header, status[error.code]], [path, header, status[code]]);
    assert.match(error.details, details);
  }
});

test('a process that says in its environment that it is of a pod is still of none', { timeout: 120_000 }, async (t) => {
  const node = await testNode(t);
  await node.start();
  await node.run('web', { containers: [serverContainer()] });
  const pod = await node.until('web', 'is ready', isReady);
  const [pid] = node.processes();
  const stolen = await readFile(`/proc/${pid}/environ`, 'utf8');
  const env = Object.fromEntries(stolen.split('\0').map((line) => line.split(/=(.*)/s, 2)));
  assert.match(stolen, /TUTTI_CONTAINER_ID/);
  const child = spawn(process.execPath, [WORKLOAD, `${ID}/default`], {
    env: { ...env, SPIFFE_ENDPOINT_SOCKET: `unix://${join(node.agentFolder, 'workload.sock')}` },
    cwd: node.podFolder(pod),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  let given = '';
  let refused = '';
  child.stdout.on('data', (text: Buffer) => {
    given += text.toString();
  });
  child.stderr.on('data', (text: Buffer) => {
    refused += text.toString();
  });
  await eventually('it is refused', () => refused.includes('PERMISSION_DENIED'));
  assert.equal(given, '');
});

test('a workload keeps its identity while the agent is away, and has a new one from the next agent', {
  timeout: 120_000,
}, async (t) => {
  const node = await testNode(t);
  const kill = await node.startProcess();
  await node.run('web', { containers: [shellContainer(asking(`${ID}/default`))] });
  await eventually('the first identity', async () => (await printed(node, 'web')).length > 0);
  await kill();
  await node.start();
  await eventually('another identity', async () => new Set(await printed(node, 'web')).size > 1);
});

test('a rotation comes over the stream that is open', { timeout: 120_000 }, async (t) => {
  const node = await testNode(t, { svidTtlSeconds: 10 });
  await node.start();
  await node.run('web', { containers: [shellContainer(asking(`${ID}/default`))] });
  await eventually('two identities', async () => new Set(await printed(node, 'web')).size >= 2);
});

test('a peer that has ended is nobody', { timeout: 120_000 }, async (t) => {
  const readPeer = openPeerReader();
  assert.ok(readPeer !== undefined, 'this Node cannot tell who connects');
  const path = join(process.env['TMPDIR'] ?? '/tmp', `tutti-peer-${process.pid}.sock`);
  const server = createServer({ pauseOnConnect: true }).listen(path);
  t.after(() => server.close());
  await once(server, 'listening');
  const connected = once(server, 'connection');
  const child = spawn(process.execPath, ['-e', `require('net').connect(${JSON.stringify(path)})`]);
  const [socket] = await connected;
  const peer = readPeer(socket);
  assert.equal(peer?.pid, child.pid);
  assert.equal(peer?.stillIs(), true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(peer?.stillIs(), false);
  peer?.close();
  socket.destroy();
  const own = connect(path);
  const [second] = await once(server, 'connection');
  assert.equal(readPeer(second)?.pid, process.pid);
  own.destroy();
});
