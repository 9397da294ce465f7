import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { needs } from '../support/programs.ts';
import { converse, type Dial } from './conversation.ts';
import { hostileApp } from './hostile-app.ts';
import type { HostileRequest } from './hostile-request.ts';
import { PEERS, type Peer, socketFolder, startPeer } from './peers.ts';
import { refereeApp } from './referee-app.ts';
import { REQUESTS } from './request-table.ts';
import { type HostileResponse, RESPONSES } from './responses.ts';

// A peer that has not said anything by then waits for more: it has not taken the request.
const PATIENCE_MS = 500;
/** Asked again alone before it counts: a peer that the machine holds up has refused nothing. */
const LONG_PATIENCE_MS = 30_000;
const AT_ONCE = 48;

interface Difference {
  readonly name: string;
  readonly reason: string | undefined;
}

const good = (statuses: readonly number[]): number => statuses.filter((status) => status >= 200 && status < 400).length;

/** Rows of which we take more than the peer does. What we do with a row is what requests.test.ts proves. */
async function laxerRequests(peer: Peer, dial: Dial, rows: readonly HostileRequest[]): Promise<readonly Difference[]> {
  const found: Difference[] = [];
  const doubtful: HostileRequest[] = [];
  const left = [...rows];
  const work = async (): Promise<void> => {
    for (let row = left.shift(); row !== undefined; row = left.shift()) {
      const { statuses } = await converse(dial, row, PATIENCE_MS);
      if (good(statuses) < good(row.answers)) doubtful.push(row);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  for (const row of doubtful) {
    const reason = row.laxerThan?.[peer];
    const { statuses, text } = await converse(dial, row, reason === undefined ? LONG_PATIENCE_MS : PATIENCE_MS);
    if (good(statuses) >= good(row.answers)) continue;
    found.push({ name: `${row.name} (${statuses.join(', ') || text.slice(0, 40) || 'no answer'})`, reason });
  }
  return found;
}

async function laxerResponses(
  peer: Peer,
  dial: Dial,
  play: (row: HostileResponse) => void,
): Promise<readonly Difference[]> {
  const found: Difference[] = [];
  for (const row of RESPONSES) {
    if (row.outcome !== 'passed') continue;
    play(row);
    const asked = {
      name: '',
      source: '',
      pieces: [row.request],
      answers: row.statuses,
      connection: 'kept',
      upstream: [],
    } as const;
    const reason = row.laxerThan?.[peer];
    let { statuses } = await converse(dial, asked, PATIENCE_MS);
    if (good(statuses) < good(row.statuses) && reason === undefined)
      ({ statuses } = await converse(dial, asked, LONG_PATIENCE_MS));
    if (good(statuses) >= good(row.statuses)) continue;
    found.push({ name: `${row.name} (${statuses.join(', ') || 'no answer'})`, reason });
  }
  return found;
}

function report(t: TestContext, peer: Peer, differences: readonly Difference[]): void {
  for (const { name, reason } of differences) t.diagnostic(`laxer than ${peer}: ${name}: ${reason ?? 'NO REASON'}`);
  assert.deepEqual(
    differences.filter(({ reason }) => reason === undefined).map(({ name }) => name),
    [],
    `we take what ${peer} refuses: refuse it, or give the row a reason`,
  );
}

for (const peer of PEERS) {
  test(`no request is taken that ${peer} refuses, but for a reason`, needs(peer), async (t) => {
    await using folder = await socketFolder();
    await using _app = await refereeApp({ path: folder.app });
    await using running = await startPeer(peer, folder.path);
    const rows = REQUESTS.filter(({ impatient }) => impatient !== true);
    report(t, peer, await laxerRequests(peer, running.dial, rows));
  });

  test(`no answer is passed that ${peer} refuses, but for a reason`, needs(peer), async (t) => {
    await using folder = await socketFolder();
    await using app = await hostileApp({ path: folder.app });
    await using running = await startPeer(peer, folder.path);
    report(t, peer, await laxerResponses(peer, running.dial, (row) => app.play(row)));
  });
}
