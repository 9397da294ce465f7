import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { type Follower, informerFollower, watchFollower } from './followers.ts';
import { labelsOf, type Write, writer } from './write-record.ts';

/*
 * Writers write as fast as they can while the server compacts its history and is killed and started again; whoever
 * follows must hear of every write once, in order. TUTTI_CHURN_SECONDS=60 for as long as that.
 */

const CHURN_SECONDS = Number(process.env['TUTTI_CHURN_SECONDS'] ?? 10);
/** Between one event and the next, however slow the machine. */
const WRITES_EACH_PART = 30;
const WRITERS = 3;
const NAMES_EACH = 4;

interface Served {
  readonly server: string;
  readonly kubeconfig: string;
}

let child: ChildProcess | undefined;

/** The port stays over all starts, as the control plane keeps its. */
async function startServer(folder: string, port: string): Promise<Served> {
  child = fork(join(import.meta.dirname, 'churn-server.ts'), [folder, port], { stdio: 'inherit' });
  const [served] = (await once(child, 'message')) as [Served];
  return served;
}

async function kill(): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function compact(): Promise<number> {
  child?.send('compact');
  const [{ compacted }] = (await once(child as ChildProcess, 'message')) as [{ compacted: number }];
  return compacted;
}

after(kill);

test('informers hear of every write once and in order through churn, a compaction and a killed server', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-churn-'));
  const { server, kubeconfig } = await startServer(folder, String(await freePort()));
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const namespace = 'default';
  const { metadata } = await core.listNamespacedConfigMap({ namespace });
  const writers = Array.from({ length: WRITERS }, (_, index) =>
    writer(
      core,
      namespace,
      Array.from({ length: NAMES_EACH }, (_name, count) => `w${index}-${count}`),
      index + 1,
    ),
  );
  const exact = [
    { follower: informerFollower(config, core, namespace), means: () => true },
    {
      follower: informerFollower(config, core, namespace, 'half=even'),
      means: (name: string) => labelsOf(name)['half'] === 'even',
    },
    { follower: watchFollower(config, namespace, metadata?.resourceVersion ?? ''), means: () => true },
  ];
  // This one is away while history goes: it must list anew, and may then know less of the way, not of the end.
  const late = informerFollower(config, core, namespace);
  const ended = new AbortController();
  try {
    for (const { follower } of exact) await follower.start();
    await late.start();

    const writing = Promise.all(writers.map((each) => each.run(ended.signal)));
    const written = (): number =>
      writers.reduce((sum, { writes }) => sum + [...writes.values()].reduce((each, list) => each + list.length, 0), 0);
    const aPart = async (): Promise<void> => {
      const wanted = written() + WRITES_EACH_PART;
      await sleep((CHURN_SECONDS * 1000) / 5);
      await eventually('more is written', () => written() >= wanted, 60_000);
    };
    await aPart();
    await late.stop();
    await aPart();
    const compacted = await compact();
    await late.start();
    await aPart();
    await kill();
    await startServer(folder, new URL(server).port);
    await aPart();
    await compact();
    await aPart();
    ended.abort();
    await writing;

    const record = new Map(writers.flatMap(({ writes }) => [...writes]));
    assert.ok(compacted > 0);
    for (const { follower, means } of exact) {
      const wanted = new Map([...record].filter(([name]) => means(name)));
      const count = [...wanted.values()].reduce((sum, writes) => sum + writes.length, 0);
      await eventually(`all ${count} writes are heard`, () => follower.heard.length >= count);
      assertExact(follower, wanted);
    }
    const all = [...record.values()].flat();
    const deletions = all.filter(({ type }) => type === 'delete').length;
    t.diagnostic(
      `${all.length} writes, ${deletions} of them deletions, in ${CHURN_SECONDS} s or more; heard exactly: ` +
        exact.map(({ follower }) => follower.heard.length).join(', '),
    );
    const present = presentOf(record);
    await eventually('the one who was away knows what is there', () => sameEntries(late.present(), present));
    assertRising(late.heard);
  } finally {
    ended.abort();
    for (const { follower } of exact) await follower.stop();
    await late.stop();
    await kill();
    await rm(folder, { recursive: true, force: true });
  }
});

/** Each name's writes as they were, with their revisions, and all of them in the order of revisions. */
function assertExact(follower: Follower, record: ReadonlyMap<string, readonly Write[]>): void {
  for (const [name, writes] of record) {
    const heard = follower.heard.filter((each) => each.name === name);
    assert.deepEqual(heard.map(told), writes.map(told), name);
  }
  assertRising(follower.heard);
  assert.ok(sameEntries(follower.present(), presentOf(record)));
}

/** A deletion's own revision is known to those who follow alone. */
function told({ type, revision, value }: Write): object {
  return type === 'delete' ? { type } : { type, revision, value };
}

/** No revision twice, and none after a later one. What a list brings comes at once, in the order of names. */
function assertRising(heard: readonly Write[]): void {
  const byName = Map.groupBy(heard, ({ name }) => name);
  for (const [name, writes] of byName) {
    const revisions = writes.filter(({ type }) => type === 'put').map(({ revision }) => Number(revision));
    assert.ok(
      revisions.every((revision, index) => index === 0 || revision > (revisions[index - 1] ?? 0)),
      `${name}: ${revisions.join(' ')}`,
    );
  }
}

function presentOf(record: ReadonlyMap<string, readonly Write[]>): ReadonlyMap<string, string> {
  return new Map(
    [...record].flatMap(([name, writes]) => {
      const last = writes.at(-1);
      return last?.type === 'put' ? [[name, last.value ?? ''] as const] : [];
    }),
  );
}

function sameEntries(left: ReadonlyMap<string, string>, right: ReadonlyMap<string, string>): boolean {
  return left.size === right.size && [...left].every(([name, value]) => right.get(name) === value);
}
