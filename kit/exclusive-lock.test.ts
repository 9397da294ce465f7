import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { lockExclusively } from './exclusive-lock.ts';

test('one holds a lock, here or in another process, until it lets go or is killed', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'lock-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'lock');
  const script = `
    import { lockExclusively } from ${JSON.stringify(join(import.meta.dirname, 'exclusive-lock.ts'))};
    console.log(lockExclusively(${JSON.stringify(path)}) === undefined ? 'refused' : 'held');
    setInterval(() => undefined, 1000);`;
  const other = async () => {
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    return {
      said: said.toString().trim(),
      kill: async () => {
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
      },
    };
  };
  const mine = lockExclusively(path);
  assert.ok(mine);
  assert.equal(lockExclusively(path), undefined);
  const refused = await other();
  assert.equal(refused.said, 'refused');
  mine.release();
  await refused.kill();
  const theirs = await other();
  assert.equal(theirs.said, 'held');
  assert.equal(lockExclusively(path), undefined);
  await theirs.kill();
  const again = lockExclusively(path);
  assert.ok(again);
  again.release();
  again.release();
});
