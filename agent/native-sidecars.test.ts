import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Pod } from '../api/kinds/pod.ts';
import { findCondition } from '../api/meta/condition.ts';
import { isReady, testNode } from '../test/support/agent-node.ts';
import { eventually } from './testing/eventually.ts';
import { shellContainer } from './testing/pod-specs.ts';

const OPTIONS = { timeout: 180_000 };

/** An init container that keeps running: notes its start, and its end when it is told to. */
function sidecar(name: string, marks: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  // Told to end before it has said that it is up, it ends in its own way all the same.
  const script = `trap 'echo down ${name} >>${marks}; exit 0' TERM; echo up ${name} >>${marks}; while :; do sleep 0.05; done`;
  return shellContainer(script, { name, restartPolicy: 'Always', ...more });
}

function initOf({ status }: Pod, name: string) {
  const found = status.initContainerStatuses?.find((each) => each.name === name);
  assert.ok(found);
  return found;
}

test(
  'sidecar containers start in their place, hold back what comes after, and end after the others, the last first',
  OPTIONS,
  async (t) => {
    const node = await testNode(t);
    await node.start();
    const marks = join(node.stateFolder, 'marks');
    const gate = join(node.stateFolder, 'gate');
    await node.run('job', {
      restartPolicy: 'Never',
      initContainers: [
        sidecar('one', marks, {
          startupProbe: { exec: { command: ['test', '-e', gate] }, periodSeconds: 1, failureThreshold: 60 },
        }),
        shellContainer(`echo init >>${marks}`, { name: 'init' }),
        sidecar('two', marks),
      ],
      containers: [shellContainer(`echo app >>${marks}; until grep -q 'up two' ${marks}; do sleep 0.05; done`)],
    });
    const held = await node.until(
      'job',
      'runs its first sidecar',
      (pod) => initOf(pod, 'one').state.running !== undefined,
    );
    assert.equal(held.status.phase, 'Pending');
    assert.match(findCondition(held.status.conditions, 'Initialized')?.message ?? '', /\[one init two\]/);
    // It runs before it has come to its first line.
    await eventually('its first line', () => existsSync(marks) && readFileSync(marks, 'utf8') === 'up one\n');
    await writeFile(gate, '');
    const done = await node.until('job', 'has succeeded', ({ status }) => status.phase === 'Succeeded');
    // The app and the second sidecar start together: which is first to write is chance.
    const lines = readFileSync(marks, 'utf8').trim().split('\n');
    assert.deepEqual(lines.slice(0, 2), ['up one', 'init']);
    assert.deepEqual(lines.slice(2, 4).toSorted(), ['app', 'up two']);
    assert.deepEqual(lines.slice(4), ['down two', 'down one']);
    assert.deepEqual(
      [initOf(done, 'one'), initOf(done, 'two')].map(({ state, restartCount }) => [
        state.terminated?.exitCode,
        restartCount,
      ]),
      [
        [0, 0],
        [0, 0],
      ],
    );
    await eventually('nothing is left', () => node.processes().length === 0);
  },
);

test(
  'a sidecar container that dies is started again beside its app, whatever the policy; both outlive a killed agent',
  OPTIONS,
  async (t) => {
    const node = await testNode(t);
    const marks = join(node.stateFolder, 'marks');
    const kill = await node.startProcess();
    const ready = join(node.stateFolder, 'ready');
    await writeFile(ready, '');
    // A machine that is held up takes its time to start the command.
    const timeoutSeconds = 20;
    const readinessProbe = {
      exec: { command: ['test', '-e', ready] },
      periodSeconds: 1,
      failureThreshold: 1,
      timeoutSeconds,
    };
    await node.run('web', {
      restartPolicy: 'Never',
      initContainers: [sidecar('one', marks, { readinessProbe })],
      containers: [shellContainer(`echo up app >>${marks}; exec sleep 600`)],
    });
    const before = await node.until('web', 'is ready', isReady);
    await kill();
    const agent = await node.start();
    assert.equal(agent.adopted, 1);
    assert.equal(readFileSync(marks, 'utf8').match(/up one/g)?.length, 1);
    assert.equal(isReady(await node.get('web')), true);
    // The exec probe of the adopted sidecar goes on: the pod follows it.
    await rename(ready, `${ready}.away`);
    const unready = await node.until('web', 'is not ready', (pod) => !isReady(pod));
    assert.match(findCondition(unready.status.conditions, 'ContainersReady')?.message ?? '', /\[one\]/);
    await rename(`${ready}.away`, ready);
    await node.until('web', 'is ready again', isReady);
    const [supervisor] = before.status.initContainerStatuses ?? [];
    const record = join(node.podFolder(before), 'containers', supervisor?.name ?? '', '0', 'process.json');
    const { pid } = JSON.parse(readFileSync(record, 'utf8')) as { pid: number };
    process.kill(-pid, 'SIGKILL');
    const after = await node.until(
      'web',
      'has its sidecar again',
      (pod) => initOf(pod, 'one').restartCount === 1 && isReady(pod),
    );
    assert.equal(after.status.phase, 'Running');
    assert.equal(after.status.containerStatuses?.[0]?.restartCount, 0);
    assert.equal(readFileSync(marks, 'utf8').match(/up app/g)?.length, 1);
  },
);
