import assert from 'node:assert/strict';
import { get, type RequestOptions } from 'node:https';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { TEST_NODE, testNode } from '../../test/support/agent-node.ts';
import { TEST_TRUST_DOMAIN } from '../../test/support/api-server.ts';

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

function ask(options: RequestOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = get({ host: '127.0.0.1', agent: false, ...options }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
    });
    sent.on('error', reject);
  });
}

test('the agent answers the control plane and administrators, and nobody else', { timeout: 120_000 }, async (t) => {
  const node = await testNode(t);
  const { port } = await node.start();
  const { authority } = node.api;
  const ca = authority.trustBundlePem;
  const as = (user: string, groups: readonly string[], spiffeId?: string): RequestOptions => {
    const issued = authority.issueClient({ user, groups, ...(spiffeId === undefined ? {} : { spiffeId }) });
    return { port, ca, cert: issued.certificateChainPem, key: issued.privateKeyPem };
  };
  const control = as('control', [], `spiffe://${TEST_TRUST_DOMAIN}/tutti/control`);
  const administrator = as('admin', ['system:masters']);
  const workload = as('', [], `spiffe://${TEST_TRUST_DOMAIN}/ns/default/sa/web`);
  const status = async (options: RequestOptions, path: string): Promise<number | undefined> =>
    (await ask({ ...options, path })).status;
  assert.equal(await status(control, '/healthz'), 200);
  assert.equal(await status(administrator, '/healthz'), 200);
  assert.equal(await status(workload, '/stats/summary'), 403);
  assert.equal(await status(control, '/nothing'), 404);
  assert.equal(await status(control, '/containerLogs/default/nobody/app'), 404);
  assert.equal(await status(control, '/containerLogs/default/nobody/app?tailLines=x'), 400);
  assert.equal(await status({ ...control, method: 'POST' }, '/healthz'), 405);
  const { body } = await ask({ ...control, path: '/stats/summary' });
  assert.equal((JSON.parse(body) as { node: { name: string } }).node.name, TEST_NODE);
  await assert.rejects(ask({ port, ca, path: '/healthz' }));
});
