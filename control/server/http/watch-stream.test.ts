import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { type ConfigMap, configMapKind } from '../../../api/kinds/config-map.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { FakeClock } from '../../../kit/fake-clock.ts';
import type { ObjectEvent } from '../verbs/watch.ts';
import { streamWatch } from './watch-stream.ts';

/** What streamWatch uses of a response, with a reader that can stop reading. */
class Response extends EventEmitter {
  readonly lines: string[] = [];
  reading = true;
  ended = false;
  destroyed = false;
  closed = false;
  writeHead(): void {}
  flushHeaders(): void {}
  write(line: string): boolean {
    this.lines.push(line);
    return this.reading;
  }
  end(): void {
    this.ended = true;
  }
  destroy(): void {
    this.destroyed = true;
  }
}

const json = { encoding: 'json', as: 'object' } as const;

function added(name: string, resourceVersion: string): ObjectEvent<ConfigMap> {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, resourceVersion } };
  return { type: 'ADDED', object: object as unknown as ConfigMap };
}

function bookmark(resourceVersion: string, endsInitialEvents = false): ObjectEvent<ConfigMap> {
  return { type: 'BOOKMARK', resourceVersion, endsInitialEvents };
}

interface Run {
  readonly as?: 'object' | 'table';
  readonly bookmarks?: boolean;
  readonly clock?: FakeClock;
  readonly response?: Response;
}

function run(
  events: AsyncIterable<ObjectEvent<ConfigMap>>,
  { as = 'object', bookmarks = false, clock, response }: Run = {},
) {
  const to = response ?? new Response();
  const form = { representation: { ...json, as }, includeObject: 'Metadata' } as const;
  const done = streamWatch({
    kind: configMapKind,
    events,
    response: to as unknown as ServerResponse,
    form,
    bookmarks,
    clock: clock ?? new FakeClock(),
  });
  return { response: to, done };
}

async function* of(...events: ObjectEvent<ConfigMap>[]): AsyncGenerator<ObjectEvent<ConfigMap>> {
  yield* events;
}

test('each event is a line; bookmarks come only to who wants them', async () => {
  const { response, done } = run(of(bookmark('1'), added('a', '2'), bookmark('3')));
  await done;
  assert.deepEqual(
    response.lines.map((line) => (JSON.parse(line) as { type: string }).type),
    ['ADDED'],
  );
  assert.ok(response.lines[0]?.endsWith('\n') && response.ended);
});

test('bookmarks are ten seconds apart, and the last thing that is known is said at the end', async () => {
  const clock = new FakeClock();
  async function* events(): AsyncGenerator<ObjectEvent<ConfigMap>> {
    yield bookmark('1');
    await clock.advance(5000);
    yield bookmark('2');
    await clock.advance(5000);
    yield bookmark('3');
    yield bookmark('4');
  }
  const { response, done } = run(events(), { bookmarks: true, clock });
  await done;
  const versions = response.lines.map(
    (line) => (JSON.parse(line) as { object: ConfigMap }).object.metadata.resourceVersion,
  );
  assert.deepEqual(versions, ['1', '3', '4']);
});

test('the last bookmark never goes back behind an event that was sent', async () => {
  const { response, done } = run(of(bookmark('1'), bookmark('2'), added('a', '5')), { bookmarks: true });
  await done;
  assert.match(response.lines.at(-1) ?? '', /"ADDED"/);
});

test('the end of what there was is marked as client-go looks for it', async () => {
  const { response, done } = run(of(bookmark('1'), bookmark('2', true)), { bookmarks: true });
  await done;
  const { object } = JSON.parse(response.lines.at(-1) ?? '') as { object: ConfigMap };
  assert.deepEqual(object.metadata.annotations, { 'k8s.io/initial-events-end': 'true' });
});

test('columns of a table come once', async () => {
  const { response, done } = run(of(added('a', '1'), added('b', '2')), { as: 'table' });
  await done;
  const tables = response.lines.map(
    (line) => (JSON.parse(line) as { object: { columnDefinitions: unknown; rows: unknown[] } }).object,
  );
  assert.ok(Array.isArray(tables[0]?.columnDefinitions));
  assert.equal(tables[1]?.columnDefinitions, null);
  assert.equal(tables[1]?.rows.length, 1);
});

test('an error ends the stream as an ERROR event with its Status', async () => {
  async function* events(): AsyncGenerator<ObjectEvent<ConfigMap>> {
    yield added('a', '1');
    throw ApiError.expired('too old resource version: 1 (2)');
  }
  const { response, done } = run(events());
  await done;
  const last = JSON.parse(response.lines.at(-1) ?? '') as { type: string; object: { code: number; reason: string } };
  assert.deepEqual([last.type, last.object.code, last.object.reason], ['ERROR', 410, 'Expired']);
});

test('no event is read while the reader does not take the last one, and one that stays so is cut off', async () => {
  const clock = new FakeClock();
  const response = new Response();
  response.reading = false;
  let asked = 0;
  async function* events(): AsyncGenerator<ObjectEvent<ConfigMap>> {
    for (;;) {
      asked += 1;
      yield added(`a${asked}`, String(asked));
    }
  }
  const { done } = run(events(), { clock, response });
  await clock.advance(1000);
  assert.equal(asked, 1);
  response.emit('drain');
  await clock.advance(1000);
  assert.equal(asked, 2);
  await clock.advance(30_000);
  await done;
  assert.deepEqual([asked, response.destroyed, clock.pendingTimers], [2, true, 0]);
});
