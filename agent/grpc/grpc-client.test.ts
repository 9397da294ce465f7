import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { validateBootstrapConfig } from '@grpc/grpc-js-xds/build/src/xds-bootstrap.js';
import { isReady, type TestNode, testNode } from '../../test/support/agent-node.ts';
import { eventually } from '../testing/eventually.ts';
import { serverContainer, shellContainer } from '../testing/pod-specs.ts';
import { grpcFiles } from './grpc-bootstrap.ts';

const ANNOTATIONS = { 'tutti.dev/proxyless-grpc': 'true' };

/** What a container of a pod has printed. */
async function printed(node: TestNode, podName: string): Promise<string> {
  const folder = join(node.podFolder(await node.get(podName)), 'containers', 'app');
  const files = await readdir(folder, { recursive: true }).catch(() => []);
  const texts = await Promise.all(
    files.filter((name) => name.endsWith('log')).map((name) => readFile(join(folder, name), 'utf8')),
  );
  return texts.join('');
}

test('a pod that asks for it has a bootstrap that gRPC takes, and certificate and key from its first moment on', {
  timeout: 120_000,
}, async (t) => {
  const node = await testNode(t);
  await node.start();
  const script = 'cat "$GRPC_XDS_BOOTSTRAP"; echo "proxy=$HTTP_PROXY lower=$http_proxy"; exec sleep 1000';
  await node.run('web', { containers: [shellContainer(script)] }, { annotations: ANNOTATIONS });
  const text = await eventually('the bootstrap is printed', async () => {
    const all = await printed(node, 'web');
    return all.includes('lower=') ? all : undefined;
  });
  const end = text.lastIndexOf('}') + 1;
  // gRPC goes by the one in lower case, also for xds: targets.
  assert.match(text.slice(end), /proxy=http:\/\/\S+:15001 lower=\n/);
  const { node: self, xdsServers, certificateProviders } = validateBootstrapConfig(JSON.parse(text.slice(0, end)));
  assert.equal(self.id, 'grpc/default/web');
  assert.deepEqual(
    xdsServers.map(({ server_uri: uri, channel_creds: creds }) => [uri, creds.map(({ type }) => type)]),
    [[`unix://${join(node.agentFolder, 'workload.sock')}`, ['insecure']]],
  );
  const files = grpcFiles(node.podFolder(await node.get('web')));
  assert.deepEqual(certificateProviders['default']?.config, {
    certificateFile: files.certificate,
    privateKeyFile: files.key,
    caCertificateFile: files.trustBundle,
    refreshIntervalMs: 1000,
  });
  const certificate = new X509Certificate(await readFile(files.certificate));
  assert.equal(certificate.subjectAltName, 'URI:spiffe://test.local/ns/default/sa/default');
  assert.ok(certificate.checkPrivateKey(createPrivateKey(await readFile(files.key))));
  assert.match(await readFile(files.trustBundle, 'utf8'), /BEGIN CERTIFICATE/);
  assert.equal((await stat(files.key)).mode & 0o777, 0o600);
});

test('its files follow each rotation, also under the next agent; other pods have none', {
  timeout: 120_000,
}, async (t) => {
  const node = await testNode(t, { svidTtlSeconds: 10 });
  const agent = await node.start();
  await node.run('web', { containers: [serverContainer()] }, { annotations: ANNOTATIONS });
  await node.run('plain', { containers: [serverContainer()] });
  const files = grpcFiles(node.podFolder(await node.until('web', 'is ready', isReady)));
  const plain = await node.until('plain', 'is ready', isReady);
  await assert.rejects(stat(grpcFiles(node.podFolder(plain)).bootstrap), { code: 'ENOENT' });
  const serial = async (): Promise<string> => new X509Certificate(await readFile(files.certificate)).serialNumber;
  const another = async (known: string): Promise<string> =>
    await eventually('another certificate', async () => {
      const now = await serial();
      return now === known ? undefined : now;
    });
  const second = await another(await serial());
  await agent.stop({ pods: 'keep' });
  await node.start();
  await another(second);
});
