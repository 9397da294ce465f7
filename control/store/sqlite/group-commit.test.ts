import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { GroupCommit } from './group-commit.ts';

interface Subject {
  readonly commits: GroupCommit;
  readonly insert: (value: number) => Promise<number>;
  readonly stored: () => number;
  readonly events: string[];
}

function subject(): Subject {
  const database = new DatabaseSync(':memory:');
  database.exec('CREATE TABLE t (value INTEGER PRIMARY KEY)');
  const events: string[] = [];
  const commits = new GroupCommit(database, {
    committed: () => void events.push('committed'),
    rolledBack: (error) => void events.push(`rolled back: ${(error as Error).message}`),
  });
  const statement = database.prepare('INSERT INTO t VALUES (?)');
  return {
    commits,
    insert: (value) =>
      commits.do(() => {
        statement.run(value);
        return value;
      }),
    stored: () => (database.prepare('SELECT count(*) AS count FROM t').get() as { count: number }).count,
    events,
  };
}

test('what arrives within one turn shares one commit, and each caller gets its own result in order', async () => {
  const { insert, stored, events } = subject();
  const order: number[] = [];
  const results = await Promise.all(
    Array.from({ length: 100 }, async (_, value) => {
      const result = await insert(value);
      order.push(result);
      return result;
    }),
  );
  assert.deepEqual(events, ['committed']);
  assert.deepEqual(
    results,
    Array.from({ length: 100 }, (_, value) => value),
  );
  assert.deepEqual(order, results);
  assert.equal(stored(), 100);
});

test('more than a group takes is committed in several', async () => {
  const { insert, events } = subject();
  await Promise.all(Array.from({ length: 1100 }, (_, value) => insert(value)));
  assert.deepEqual(events, ['committed', 'committed', 'committed']);
});

test('a group that fails leaves nothing behind, tells all its callers, and the next succeeds', async () => {
  const { insert, stored, events } = subject();
  const outcomes = await Promise.allSettled([insert(1), insert(2), insert(1)]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  );
  assert.equal(stored(), 0);
  await insert(3);
  assert.equal(stored(), 1);
  assert.match(events.join(', '), /^rolled back: UNIQUE.*, committed$/);
});

test('a flush commits at once, and refusing rejects what waits', async () => {
  const { commits, insert, stored } = subject();
  const flushed = insert(1);
  commits.flush();
  assert.equal(stored(), 1);
  assert.equal(await flushed, 1);
  const refused = insert(2);
  commits.refuse(new Error('no more'));
  await assert.rejects(refused, /no more/);
  assert.equal(stored(), 1);
});
