import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { shellContainer } from '../../agent/testing/pod-specs.ts';
import { describeObject } from '../../cli/cluster/describe-object.ts';
import { isReady, testNode } from '../support/agent-node.ts';
import { eventually } from '../support/eventually.ts';
import { needs } from '../support/programs.ts';
import { Kubectl } from './kubectl.ts';

/** Busy, in a child and a grandchild: what is measured is all that a container starts. */
const BUSY = 'sh -c "while :; do :; done" & while :; do sleep 0.1; done';

/** Each has several processes start and end, one after the other. */
const PATIENCE_MS = 120_000;

test('describe, logs, get events and top say of real containers how they ended and what they use', {
  timeout: 450_000,
  ...needs('kubectl'),
}, async (t) => {
  const node = await testNode(t);
  const kubectl = new Kubectl(node.api);
  await node.start();
  const gate = join(node.stateFolder, 'gate');
  await node.run('crash', {
    containers: [shellContainer('echo opening the till; echo the till is stuck >&2; exit 3')],
  });
  await node.run('probed', {
    containers: [
      shellContainer('while :; do sleep 0.1; done', {
        livenessProbe: {
          exec: { command: ['/bin/sh', '-c', 'echo no paper in the printer; exit 1'] },
          periodSeconds: 1,
          failureThreshold: 1,
          // A machine that is held up takes its time to start the command: what is to be told is what it said.
          timeoutSeconds: 60,
          terminationGracePeriodSeconds: 20,
        },
      }),
    ],
  });
  await node.run('late', { activeDeadlineSeconds: 2, containers: [shellContainer('sleep 600')] });
  await node.run('full', {
    containers: [
      shellContainer(`while [ ! -e ${gate} ]; do sleep 0.1; done; exec sleep 600`, {
        volumeMounts: [{ name: 'cache', mountPath: '/cache' }],
      }),
    ],
    initContainers: [
      shellContainer('head -c 3000000 /dev/zero >/cache/big', {
        name: 'fill',
        volumeMounts: [{ name: 'cache', mountPath: '/cache' }],
      }),
    ],
    volumes: [{ name: 'cache', emptyDir: { sizeLimit: '1Mi' } }],
  });
  const crash = await eventually(
    'the crash is described',
    async () => {
      const text = await kubectl.ok('describe pod crash');
      // Events are written behind the status.
      if (!/Last State: +Terminated/.test(text) || !/Exited/.test(text) || !/BackOff /.test(text))
        throw new Error(text);
      return text;
    },
    PATIENCE_MS,
  );
  assert.match(crash, /Last State: +Terminated\s+Reason: +Error\s+Message: +exited with code 3; the last of its log:/);
  assert.match(crash, /the till is stuck\s+Exit Code: +3/);
  assert.match(
    crash,
    /Warning +Exited .*Container app exited with code 3; its last words: opening the till \/ the till is stuck/,
  );
  assert.match(crash, /Warning +BackOff /);
  assert.match(await kubectl.ok('logs crash --previous'), /the till is stuck/);
  const probed = await eventually(
    'the probe is described',
    async () => {
      const text = await kubectl.ok('describe pod probed');
      if (!/Last State: +Terminated/.test(text) || !/Unhealthy/.test(text) || !/Exited/.test(text))
        throw new Error(text);
      return text;
    },
    PATIENCE_MS,
  );
  const because = 'stopped because its liveness probe failed: no paper in the printer';
  assert.match(probed, new RegExp(`Message: +was ended by SIGTERM \\(exit code 143\\), ${because}`));
  assert.match(probed, /Warning +Unhealthy .*Liveness probe failed: no paper in the printer/);
  assert.match(
    await kubectl.ok('get events --field-selector involvedObject.name=probed'),
    /Warning +Exited +pod\/probed/,
  );
  // The words of `tutti describe` are made of the same status.
  const ours = describeObject(await node.get('probed'), [], Date.now());
  assert.match(ours, new RegExp(because));
  await node.until('late', 'is over its deadline', ({ status }) => status.phase === 'Failed');
  assert.match(await kubectl.ok('describe pod late'), /Status: +Failed\s+Reason: +DeadlineExceeded/);
  await node.until('full', 'is evicted', ({ status }) => status.phase === 'Failed');
  assert.match(
    await kubectl.ok('describe pod full'),
    /Reason: +Evicted\s+Message: +Usage of EmptyDir volume "cache" exceeds the limit "1Mi"/,
  );
  // Not before: it would take the processor of what is waited for above.
  await node.run('busy', { containers: [shellContainer(BUSY)] });
  await node.until('busy', 'is ready', isReady);
  const cpu = await eventually('figures', async () => {
    const [, millis] = /^busy +app +(\d+)m +\d+Mi/m.exec(await kubectl.ok('top pods --containers')) ?? [];
    return Number(millis) > 0 ? Number(millis) : undefined;
  });
  // One processor at most is taken, by a grandchild of the container's shell; how much of it a loaded machine gives is chance.
  assert.ok(cpu <= 1500, `${cpu}m`);
});
