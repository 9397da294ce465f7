import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../../api/kinds/pod.ts';
import { freePort } from '../../../test/support/free-port.ts';
import { appPort, connectApp } from './app-port.ts';

const pod = { metadata: { name: 'web' } } as unknown as Pod;

test('a declared port is the one that its process got', () => {
  assert.deepEqual(appPort({ pod, appPorts: { '8080': 28_001 } }, 8080), { ok: true, port: 28_001 });
});

test('what the pod does not declare is not forwarded, and what it does is told', () => {
  const refused = appPort({ pod, appPorts: { '8080': 28_001, '9090': 28_002 } }, 28_001);
  assert.match(refused.ok ? '' : refused.message, /port 28001 of pod "web": not a containerPort.*8080, 9090/);
  const none = appPort({ pod, appPorts: {} }, 80);
  assert.match(none.ok ? '' : none.message, /which has none/);
});

test('a port where nobody listens any more is a failure in words', async () => {
  await assert.rejects(connectApp(await freePort(), new AbortController().signal), /ECONNREFUSED/);
});
