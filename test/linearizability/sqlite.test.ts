import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { openSqliteStore } from '../../control/store/sqlite/sqlite-store.ts';
import type { Change } from '../../control/store/store.ts';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { checkHistory } from './checker.ts';
import type { Operation } from './history.ts';
import { checkRevisions, checkWatch } from './revisions.ts';

const ROUNDS = Number(process.env['LINEARIZABILITY_ROUNDS'] ?? 4);
const ANSWERS_A_LIFE = 400;

/** One life of the process that holds the store, killed in the midst of its work. */
async function life(path: string, round: number): Promise<readonly Operation[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'sqlite-clients.ts'), path, `${round}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const open = new Map<string, Omit<Operation, 'answer' | 'answeredAt'>>();
  const history: Operation[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const said = parse(line);
    if (said?.call !== undefined) open.set(said.call.client, said.call);
    if (said?.answered !== undefined) {
      open.delete(said.answered.client);
      history.push(said.answered);
      if (history.length === ANSWERS_A_LIFE) child.kill('SIGKILL');
    }
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  assert.equal(child.signalCode, 'SIGKILL', 'it ended by itself');
  for (const call of open.values()) {
    if (call.action.type === 'read') continue;
    history.push({ ...call, answer: { type: 'unknown' }, answeredAt: Number.POSITIVE_INFINITY });
  }
  return history;
}

interface Said {
  readonly call?: Omit<Operation, 'answer' | 'answeredAt'>;
  readonly answered?: Operation;
}

function parse(line: string): Said | undefined {
  try {
    return JSON.parse(line) as Said;
  } catch {
    // Cut short by the kill.
    return undefined;
  }
}

test('sqlite is linearizable over kill -9 of the process that holds it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-linear-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'store.db');
  const history: Operation[] = [];
  for (let round = 0; round < ROUNDS; round++) history.push(...(await life(path, round)));
  const store = await openSqliteStore({ path, clock: systemClock(), log: silentLog() });
  t.after(() => store.close());
  const present = await store.revision();
  const changes: Change[] = [];
  for await (const batch of store.watch('', { after: 0, signal: new AbortController().signal })) {
    changes.push(...batch.changes);
    if (batch.revision >= present) break;
  }
  assert.deepEqual(checkHistory(history), []);
  assert.deepEqual(checkRevisions(history), []);
  assert.deepEqual(checkWatch(history, changes), []);
  t.diagnostic(`${history.length} operations, ${present} revisions, ${ROUNDS} kills`);
});
