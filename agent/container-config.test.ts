import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { configMapKind } from '../api/kinds/config-map.ts';
import { eventKind } from '../api/kinds/event.ts';
import type { Pod } from '../api/kinds/pod.ts';
import { isReady, type TestNode, testNode } from '../test/support/agent-node.ts';
import { eventually } from './testing/eventually.ts';
import { serverContainer, shellContainer } from './testing/pod-specs.ts';

const OPTIONS = { timeout: 180_000 };

async function eventsOf(node: TestNode, pod: string): Promise<readonly string[]> {
  const where = { namespace: 'default', fieldSelector: `involvedObject.name=${pod}` };
  const { items } = await node.admin.list(eventKind, where);
  return items.map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
}

/** Where a container finds what is mounted there. */
function mounted(node: TestNode, pod: Pod, container: string, path: string): string {
  return join(node.podFolder(pod), 'volumes', container, path);
}

test(
  'containers of a pod share volumes and have ports of their own; files follow their objects, paths in them do not',
  OPTIONS,
  async (t) => {
    const node = await testNode(t);
    await node.start();
    const ref = { namespace: 'default', name: 'settings' };
    await node.admin.create(configMapKind, { metadata: ref, data: { mode: 'slow' } });
    const shared = { name: 'shared', mountPath: '/shared' };
    await node.run(
      'web',
      {
        containers: [
          serverContainer({
            name: 'one',
            env: [
              { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
              { name: 'LIMIT', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
            ],
            resources: { limits: { memory: '256Mi' } },
          }),
          serverContainer({ name: 'two', ports: [{ name: 'http', containerPort: 9090 }] }),
          shellContainer('env >/shared/env; echo $POD_NAME >/logs/name; exec sleep 600', {
            name: 'writer',
            env: [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
            volumeMounts: [
              shared,
              { name: 'shared', mountPath: '/logs', subPathExpr: 'logs/$(POD_NAME)' },
              { name: 'all', mountPath: '/all' },
              { name: 'all', mountPath: '/mode', subPath: 'mode' },
            ],
          }),
          shellContainer(
            'while [ ! -e /shared/env ]; do sleep 0.05; done; cp /shared/env /shared/seen; exec sleep 600',
            {
              name: 'reader',
              volumeMounts: [shared],
            },
          ),
        ],
        volumes: [
          { name: 'shared', emptyDir: { medium: 'Memory' } },
          {
            name: 'all',
            projected: {
              sources: [
                { configMap: { name: 'settings' } },
                { secret: { name: 'none', optional: true } },
                { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
                { serviceAccountToken: { path: 'token', audience: 'bank' } },
              ],
            },
          },
        ],
      },
      { labels: { app: 'web' } },
    );
    const pod = await node.until('web', 'is ready', isReady);
    const ports = JSON.parse(pod.metadata.annotations?.['tutti.dev/app-ports'] ?? '{}') as Record<string, number>;
    const answers = await Promise.all(
      ['8080', '9090'].map(async (port) => (await fetch(`http://127.0.0.1:${ports[port]}/`)).text()),
    );
    assert.notEqual(answers[0], answers[1]);
    const own = readFileSync(`/proc/${answers[0]}/environ`, 'utf8').split('\0');
    assert.deepEqual([own.includes('NODE=test-node'), own.includes('LIMIT=256')], [true, true]);
    await eventually('the other container has seen it', () => existsSync(mounted(node, pod, 'reader', '/shared/seen')));
    assert.equal(readFileSync(mounted(node, pod, 'reader', '/shared/logs/web/name'), 'utf8'), 'web\n');
    const all = (name: string): string => readFileSync(mounted(node, pod, 'writer', `/all/${name}`), 'utf8');
    const one = (): string => readFileSync(mounted(node, pod, 'writer', '/mode'), 'utf8');
    assert.deepEqual([all('mode'), one(), all('labels')], ['slow', 'slow', 'app="web"']);
    const claims = JSON.parse(Buffer.from(all('token').split('.')[1] ?? '', 'base64url').toString()) as {
      aud: unknown;
    };
    assert.deepEqual(claims.aud, ['bank']);
    await node.admin.patch(configMapKind, ref, { data: { mode: 'fast' } }, { type: 'merge' });
    await eventually('the file follows', () => all('mode') === 'fast');
    assert.equal(one(), 'slow');
    const notice = 'Warning ProcessDriver: volume "shared": host processes get no medium Memory: it is on disk';
    await eventually('a notice', async () => (await eventsOf(node, 'web')).includes(notice));
  },
);

test('hooks run after the start and before the end, and one that fails is told', OPTIONS, async (t) => {
  const node = await testNode(t);
  await node.start();
  const marks = join(node.stateFolder, 'marks');
  const say = (word: string) => ({ exec: { command: ['/bin/sh', '-c', `echo ${word} >>${marks}`] } });
  const app = (name: string, lifecycle: unknown) =>
    shellContainer(`trap 'echo told ${name} >>${marks}; exit 0' TERM; while :; do sleep 0.05; done`, {
      name,
      lifecycle,
    });
  await node.run('web', {
    containers: [
      app('exec', { postStart: say('began'), preStop: say('ending') }),
      app('sleep', { preStop: { sleep: { seconds: 1 } } }),
      serverContainer({ lifecycle: { preStop: { httpGet: { port: 'http', path: '/' } } } }),
    ],
    terminationGracePeriodSeconds: 30,
  });
  await node.run('bad', {
    restartPolicy: 'Never',
    containers: [app('hook', { postStart: { exec: { command: ['/bin/sh', '-c', 'echo no key; exit 1'] } } })],
  });
  await node.until('web', 'is ready', isReady);
  assert.equal(readFileSync(marks, 'utf8').includes('began\n'), true);
  const before = performance.now();
  await node.remove('web');
  await node.untilGone('web');
  assert.ok(performance.now() - before >= 1000);
  const lines = readFileSync(marks, 'utf8').trim().split('\n');
  assert.ok(lines.indexOf('ending') < lines.indexOf('told exec'), lines.join(' '));
  assert.ok(lines.includes('told sleep'));
  await eventually('the hook that fails is told', async () =>
    (await eventsOf(node, 'bad')).some((event) => /^Warning FailedPostStartHook: .*no key/.test(event)),
  );
  await node.until('bad', 'has ended', ({ status }) => status.containerStatuses?.[0]?.state.terminated !== undefined);
});
