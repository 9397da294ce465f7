import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { shellContainer } from '../agent/testing/pod-specs.ts';
import { parseBootstrap } from '../proxy/bootstrap/bootstrap.ts';
import { isReady, TEST_NODE, testNode } from './support/agent-node.ts';

test('what the agent writes for its proxies is what a proxy reads', { timeout: 120_000 }, async (t) => {
  const node = await testNode(t, {
    ingress: { workers: 2 },
    svidTtlSeconds: 600,
    tracing: { endpoint: 'http://127.0.0.1:4318/v1/traces', samplingRatio: 0.01 },
  });
  await node.start();
  await node.run('web', { containers: [shellContainer('sleep 600')] });
  const pod = await node.until('web', 'is ready', isReady);
  const read = async (folder: string) => parseBootstrap(await readFile(join(folder, 'bootstrap.json'), 'utf8'));
  const sidecar = await read(join(node.podFolder(pod), 'sidecar'));
  assert.deepEqual(
    [sidecar.mode, sidecar.nodeId, sidecar.podAddress, sidecar.serviceAccount, sidecar.workloadApi],
    [
      'sidecar',
      'sidecar/default/web',
      pod.status.podIP,
      'default',
      `unix://${join(node.agentFolder, 'workload.sock')}`,
    ],
  );
  const ingress = await read(join(node.agentFolder, 'ingress'));
  assert.deepEqual(
    [ingress.mode, ingress.nodeId, ingress.podAddress, ingress.workers],
    ['ingress', `ingress/tutti-system/${TEST_NODE}`, '', 2],
  );
  const tracing = { endpoint: 'http://127.0.0.1:4318/v1/traces', samplingRatio: 0.01 };
  assert.deepEqual(sidecar.tracing, { ...tracing, serviceName: 'web' });
  assert.deepEqual(ingress.tracing, { ...tracing, serviceName: 'ingress' });
});
