import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Conversation, converse, type Dial } from './conversation.ts';
import { atEachDoor, type Doors, openDoors } from './doors.ts';
import { type HostileApp, hostileApp } from './hostile-app.ts';
import type { HostileRequest } from './hostile-request.ts';
import { type HostileResponse, RESPONSES } from './responses.ts';

const PATIENCE_MS = 10_000;

const asking = (
  request: string,
  answers: readonly number[],
  connection: HostileRequest['connection'],
): HostileRequest => ({
  name: '',
  source: '',
  pieces: [request],
  answers,
  connection,
  upstream: [],
});

const PROBE = asking('GET /probe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', [200], 'closed');

async function ask(dial: Dial, row: HostileResponse): Promise<Conversation> {
  if (row.outcome === 'cut') return converse(dial, asking(row.request, [200], 'closed'), PATIENCE_MS);
  return converse(dial, asking(row.request, row.outcome === 'refused' ? [502] : row.statuses, 'kept'), PATIENCE_MS);
}

async function judge(app: HostileApp, dial: Dial, row: HostileResponse): Promise<void> {
  // A connection that waits in the pool is what the row's answer comes by.
  await converse(dial, PROBE, PATIENCE_MS);
  app.play(row);
  const before = app.connections;
  const { statuses, text, connection } = await ask(dial, row);
  const probed = await converse(dial, PROBE, PATIENCE_MS);
  const finals = statuses.filter((status) => status >= 200);
  if (row.outcome === 'passed') assert.deepEqual(statuses, row.statuses, text.slice(0, 400));
  else if (row.outcome === 'refused')
    assert.ok(finals.length === 1 && (finals[0] === 502 || finals[0] === 503), text.slice(0, 400));
  else assert.ok(finals.length === 0 || finals[0] === 200, text.slice(0, 400));
  assert.equal(connection, row.outcome === 'cut' ? 'closed' : 'kept');
  if (row.holds !== undefined) assert.match(text, row.holds);
  if (row.never !== undefined) assert.doesNotMatch(text, row.never);
  assert.match(probed.text, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nsaw \["GET","\/probe",""\]\n$/);
  // What followed came by the same connection, or by one that had to be made.
  assert.equal(app.connections - before, row.upstream === 'kept' ? 0 : 1, 'connections made');
}

describe('answers that a proxy must not pass on as they are', () => {
  let doors: Doors<HostileApp>;
  before(async () => {
    doors = await openDoors(() => hostileApp({ port: 0 }));
  });
  after(() => doors[Symbol.asyncDispose]());
  for (const row of RESPONSES) {
    test(`${row.name} (${row.source})`, () => atEachDoor(doors.all, (dial, app) => judge(app, dial, row)));
  }
});
