import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventRecorder } from '../../../api/client/events/event-recorder.ts';
import { eventKind } from '../../../api/kinds/event.ts';
import { podKind } from '../../../api/kinds/pod.ts';
import { timestamp } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { seededRandom } from '../../../kit/random.ts';
import { MemoryCluster } from '../testing/memory-cluster.ts';
import { pod, stored } from '../testing/objects.ts';
import { outdatedEvents } from './sweep.ts';

const AGENT = { component: 'tutti-agent', host: 'node-1' };
const STARTED = { type: 'Normal', reason: 'Started', message: 'Started container app' } as const;

test('the same thing again raises the count of its event; another object or message has an event of its own', async () => {
  const cluster = await MemoryCluster.start();
  const { client, clock } = cluster;
  const recorder = new EventRecorder({ client, clock, random: seededRandom(7), log: silentLog() });
  try {
    for (let times = 0; times < 3; times++) {
      recorder.record(AGENT, podKind, pod('web'), STARTED);
      await recorder.flush();
      await cluster.pass(2000);
    }
    recorder.record(AGENT, podKind, pod('other'), STARTED);
    recorder.record(AGENT, podKind, pod('web'), { ...STARTED, message: 'Started container side' });
    await recorder.flush();
    const events = (await client.list(eventKind)).items;
    assert.equal(events.length, 3);
    const [first] = events.filter(({ count }) => count === 3);
    assert.equal(first?.involvedObject.name, 'web');
    assert.equal(first.involvedObject.kind, 'Pod');
    assert.equal(first.source.component, 'tutti-agent');
    assert.equal(Date.parse(first.lastTimestamp ?? '') - Date.parse(first.firstTimestamp ?? ''), 4000);
    await client.delete(eventKind, { namespace: 'default', name: first.metadata.name });
    recorder.record(AGENT, podKind, pod('web'), STARTED);
    await recorder.close();
    const [anew] = (await client.list(eventKind)).items.filter(
      ({ message, involvedObject }) => message === STARTED.message && involvedObject.name === 'web',
    );
    assert.equal(anew?.count, 1);
  } finally {
    await cluster.close();
  }
});

test('an event that cannot be written is dropped, and a flood is cut off', async () => {
  const cluster = await MemoryCluster.start();
  const { client, clock } = cluster;
  const recorder = new EventRecorder({ client, clock, random: seededRandom(7), log: silentLog() });
  try {
    recorder.record(AGENT, podKind, pod('lost', { metadata: { namespace: 'nowhere' } }), STARTED);
    for (let index = 0; index < 1500; index++) recorder.record(AGENT, podKind, pod(`p${index}`), STARTED);
    await recorder.close();
    const { length } = (await client.list(eventKind)).items;
    assert.ok(length >= 900 && length <= 1000, `${length} events`);
  } finally {
    await cluster.close();
  }
});

test('events are outdated an hour after they last happened, and the oldest of too many', () => {
  const nowMs = Date.UTC(2030, 0, 1);
  const seen = (name: string, minutesAgo: number) =>
    stored(eventKind, name, {
      involvedObject: {},
      lastTimestamp: timestamp(nowMs - minutesAgo * 60_000),
    } as object);
  const outdated = outdatedEvents([seen('old', 61), seen('new', 59)], nowMs);
  assert.deepEqual(
    outdated.map(({ metadata }) => metadata.name),
    ['old'],
  );
  const many = Array.from({ length: 10_002 }, (_, index) => seen(`e${index}`, index < 10_000 ? 1 : index - 9990));
  assert.deepEqual(
    outdatedEvents(many, nowMs).map(({ metadata }) => metadata.name),
    ['e10001', 'e10000'],
  );
});

test('the sweeper takes outdated events away', async () => {
  const cluster = await MemoryCluster.start();
  const recorder = new EventRecorder({
    client: cluster.client,
    clock: cluster.clock,
    random: seededRandom(7),
    log: silentLog(),
  });
  try {
    recorder.record(AGENT, podKind, pod('web'), STARTED);
    await recorder.close();
    await cluster.clock.advance(59 * 60_000);
    assert.equal((await cluster.client.list(eventKind)).items.length, 1);
    await cluster.clock.advance(3 * 60_000);
    assert.equal((await cluster.client.list(eventKind)).items.length, 0);
  } finally {
    await cluster.close();
  }
});
