import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { converse, type Dial, statusesOf } from './conversation.ts';
import { atEachDoor, type Doors, openDoors } from './doors.ts';
import type { HostileRequest } from './hostile-request.ts';
import { type RefereeApp, refereeApp, type Seen } from './referee-app.ts';
import { REQUESTS } from './request-table.ts';

const PATIENCE_MS = 10_000;

const PROBE: HostileRequest = {
  name: 'the next request of somebody else',
  source: '',
  pieces: ['GET /probe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
  answers: [200],
  connection: 'closed',
  upstream: ['GET /probe '],
};

const OURS = new Set(['GET /after ', 'GET /probe ']);

/** Whatever came in, each head that reached the application is sound by itself. */
function checkSoundness(seen: Seen): void {
  assert.deepEqual(seen.unparsed, [], 'the application could not read what was forwarded');
  for (const [head] of seen.raw.matchAll(/[A-Z-]+ [^\r\n]+ HTTP\/1\.1\r\n[^]*?\r\n\r\n/g)) {
    const count = (name: string): number => [...head.matchAll(new RegExp(`\r\n${name}[ \t]*:`, 'gi'))].length;
    assert.equal(count('host'), 1, head);
    assert.ok(count('content-length') + count('transfer-encoding') <= 1, head);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
    assert.doesNotMatch(head, /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r[^\n]|[^\r]\n|\n[ \t]/);
  }
}

async function judge(app: RefereeApp, dial: Dial, row: HostileRequest): Promise<void> {
  app.take();
  const { statuses, text, connection } = await converse(dial, row, PATIENCE_MS);
  const probed = await converse(dial, PROBE, PATIENCE_MS);
  const seen = app.take();
  assert.deepEqual(statuses, row.answers, JSON.stringify(text.slice(0, 400)));
  assert.equal(connection, row.connection);
  if (row.answer !== undefined) assert.match(text, row.answer);
  assert.deepEqual(
    seen.requests.filter((request) => !OURS.has(request)),
    row.upstream,
  );
  assert.deepEqual(
    [statusesOf(probed.text), probed.text.includes('saw ["GET","/probe",""]')],
    [[200], true],
    probed.text,
  );
  const own = seen.raw.replaceAll(/GET \/(?:after|probe) HTTP[^]*?\r\n\r\n/g, '');
  if (row.reaches !== undefined) assert.match(own, row.reaches);
  if (row.never !== undefined) assert.doesNotMatch(own, row.never);
  if (!row.upstream.join('').includes('smuggled')) assert.doesNotMatch(own, /smuggled/);
  checkSoundness(seen);
}

/**
 * Where a proxy waits but for 400 ms, a machine that holds up a client for as long makes another row of it: it is played again, twice at
 * most. What the proxy does wrong it does wrong each time.
 */
async function judgeInTime(app: RefereeApp, dial: Dial, row: HostileRequest): Promise<void> {
  for (let turn = 1; ; turn++) {
    try {
      await judge(app, dial, row);
      return;
    } catch (error) {
      if (turn === 3) throw error;
    }
  }
}

describe('requests that a proxy must not get wrong', () => {
  let patient: Doors<RefereeApp>;
  let impatient: Doors<RefereeApp>;
  before(async () => {
    patient = await openDoors(() => refereeApp({ port: 0 }));
    impatient = await openDoors(() => refereeApp({ port: 0 }), { headerTimeoutMs: 400, idleTimeoutMs: 400 });
  });
  after(async () => {
    await patient[Symbol.asyncDispose]();
    await impatient[Symbol.asyncDispose]();
  });
  for (const row of REQUESTS) {
    test(`${row.name} (${row.source})`, () => {
      const { all } = row.impatient === true ? impatient : patient;
      const doors = row.outside === true ? all.filter(({ name }) => name !== 'sidecar, inbound') : all;
      const play = row.impatient === true ? judgeInTime : judge;
      return atEachDoor(doors, (dial, app) => play(app, dial, row));
    });
  }
});
