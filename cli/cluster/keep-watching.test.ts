import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorOfConnection } from '../../api/client/failures.ts';
import { ApiError } from '../../api/meta/api-error.ts';
import { FakeClock } from '../../kit/fake-clock.ts';
import { keepWatching } from './keep-watching.ts';

interface Seen {
  readonly version?: string;
}

/** Each watch gives its events and then ends, or fails; the last one stays open until it is told to stop. */
function watches(all: readonly { readonly gives: readonly Seen[]; readonly fails?: Error }[], stop: AbortController) {
  const begun: string[] = [];
  async function* open(from: string): AsyncGenerator<Seen, void, undefined> {
    const watch = all[begun.length];
    begun.push(from);
    if (watch === undefined) stop.abort();
    else {
      yield* watch.gives;
      if (watch.fails !== undefined) throw watch.fails;
    }
  }
  return { begun, open };
}

async function follow(all: Parameters<typeof watches>[0]) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const { begun, open } = watches(all, stop);
  const heard: (string | undefined)[] = [];
  const followed = (async () => {
    const context = { clock, signal: stop.signal };
    for await (const { version } of keepWatching({ context, from: '7', open, versionOf: (event) => event.version }))
      heard.push(version);
  })();
  const ended = followed.then(
    () => undefined,
    (error: unknown) => error,
  );
  await clock.advance(10_000);
  return { begun, heard, error: await ended, timers: clock.pendingTimers };
}

const cut = errorOfConnection(
  Object.assign(new Error('gone'), { code: 'ECONNREFUSED' }),
  'https://127.0.0.1:1',
) as Error;

test('a watch goes on from what has been seen, where the server ended it, was cut off, or was away', async () => {
  const { begun, heard, error, timers } = await follow([
    { gives: [{ version: '8' }, { version: '9' }] },
    { gives: [], fails: cut },
    { gives: [{}, { version: '12' }], fails: ApiError.unavailable('starting') },
  ]);
  assert.deepEqual(begun, ['7', '9', '9', '12']);
  assert.deepEqual(heard, ['8', '9', undefined, '12']);
  assert.equal(error, undefined);
  assert.equal(timers, 0);
});

for (const refusal of [ApiError.expired('too old resource version'), ApiError.unauthorized()]) {
  test(`a refusal that stays ends it: ${refusal.code}`, async () => {
    const { begun, heard, error } = await follow([{ gives: [{ version: '8' }], fails: refusal }]);
    assert.deepEqual(begun, ['7']);
    assert.deepEqual(heard, ['8']);
    assert.equal(error, refusal);
  });
}
