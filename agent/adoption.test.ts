import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventKind } from '../api/kinds/event.ts';
import { type Pod, podKind } from '../api/kinds/pod.ts';
import { heardBy, isReady, testNode } from '../test/support/agent-node.ts';
import { startAgent } from './main.ts';
import { eventually } from './testing/eventually.ts';
import { serverContainer, shellContainer } from './testing/pod-specs.ts';

const OPTIONS = { timeout: 180_000 };

function appOf({ status }: Pod) {
  const [found] = status.containerStatuses ?? [];
  assert.ok(found);
  return found;
}

/** The seconds of a back-off that a container waits for. */
function backOffOf(pod: Pod): number {
  const [, seconds = '0'] = /^back-off (\d+)s/.exec(appOf(pod).state.waiting?.message ?? '') ?? [];
  return Number(seconds);
}

test(
  'pods are taken over from a killed agent as they are: initializing, crashing, ending, done',
  OPTIONS,
  async (t) => {
    const node = await testNode(t);
    const mark = (name: string): string => join(node.stateFolder, name);
    const read = (name: string): string => (existsSync(mark(name)) ? readFileSync(mark(name), 'utf8') : '');
    const kill = await node.startProcess();
    const untilGate = `while [ ! -e ${mark('gate')} ]; do sleep 0.05; done`;
    await node.run('initializing', {
      initContainers: [shellContainer(`echo init >>${mark('init')}; ${untilGate}`, { name: 'init' })],
      containers: [shellContainer(`echo app >>${mark('init')}; exec sleep 600`)],
    });
    await node.run('crashing', { containers: [shellContainer(`echo x >>${mark('crash')}; exit 1`)] });
    const onTerm = `trap 'echo told >>${mark('end')}; ${untilGate}; echo ended >>${mark('end')}; exit 0' TERM`;
    await node.run('ending', {
      containers: [shellContainer(`${onTerm}; echo up >>${mark('end')}; while :; do sleep 0.05; done`)],
      // It waits for the gate, which opens late in the test.
      terminationGracePeriodSeconds: 600,
    });
    await node.run('done', {
      restartPolicy: 'Never',
      containers: [shellContainer(`echo done >>${mark('done')}; exit 3`)],
    });
    await node.until('ending', 'is ready', isReady);
    await node.remove('ending');
    await eventually('it is told to end', () => read('end').includes('told'));
    await eventually('the init container runs', () => read('init') !== '');
    await node.until('done', 'has failed', ({ status }) => status.phase === 'Failed');
    const before = await node.until('crashing', 'backs off for 2 s or more', (pod) => backOffOf(pod) >= 2);
    await kill();
    const crashes = read('crash').length;
    await node.start();
    // What was counted before goes on: the next back-off is longer than the one that was seen, not the first again.
    const after = await node.until(
      'crashing',
      'has crashed again',
      (pod) => appOf(pod).restartCount > appOf(before).restartCount && backOffOf(pod) > 0,
    );
    assert.ok(backOffOf(after) > backOffOf(before), `${backOffOf(after)} s after ${backOffOf(before)} s`);
    assert.ok(read('crash').length > crashes);
    await writeFile(mark('gate'), '');
    await node.until('initializing', 'is ready', isReady);
    assert.equal(read('init'), 'init\napp\n');
    await node.untilGone('ending');
    assert.match(read('end'), /^up\n(told\n)+ended\n$/);
    const done = await node.get('done');
    assert.deepEqual(
      [done.status.phase, appOf(done).state.terminated?.exitCode, read('done')],
      ['Failed', 3, 'done\n'],
    );
    // What was told of an end stays, and is not told again.
    assert.equal(appOf(done).state.terminated?.message, 'exited with code 3');
    const fieldSelector = 'involvedObject.name=done,reason=Exited';
    const items = await eventually('the end is told', async () => {
      const events = await node.admin.list(eventKind, { namespace: 'default', fieldSelector });
      return events.items.length > 0 ? events.items : undefined;
    });
    assert.deepEqual(
      items.map(({ message, count }) => [message, count]),
      [['Container app exited with code 3', 1]],
    );
  },
);

test(
  'a pod that was deleted while no agent was there is unrouted and drained before it is told to end',
  OPTIONS,
  async (t) => {
    const node = await testNode(t);
    const kill = await node.startProcess();
    await node.run('web', { containers: [serverContainer()], terminationGracePeriodSeconds: 30 });
    const pod = await node.until('web', 'is ready', isReady);
    const sidecar = join(node.podFolder(pod), 'sidecar');
    await kill();
    await node.admin.delete(podKind, { namespace: 'default', name: 'web' });
    await node.start();
    // Nobody has said yet that no proxy routes to it.
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.deepEqual([await heardBy(sidecar), node.processes().length > 0], [['started'], true]);
    await node.remove('web');
    await eventually('it is drained', async () => !existsSync(sidecar) || (await heardBy(sidecar)).includes('drained'));
    await node.untilGone('web');
    assert.deepEqual(node.processes(), []);
  },
);

test('two agents never work in one folder, and the second says so', OPTIONS, async (t) => {
  const node = await testNode(t);
  const kill = await node.startProcess();
  await assert.rejects(startAgent(node.options), /agent folder ".*test-node": another agent works in it/);
  await kill();
  const agent = await node.start();
  await assert.rejects(startAgent(node.options), /another agent works in it/);
  await agent.stop({ pods: 'keep' });
  const again = await startAgent(node.options);
  await again.stop({ pods: 'keep' });
});
