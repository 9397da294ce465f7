import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const MAIN = join(import.meta.dirname, 'main.ts');

/** The environment of a user whose home is this folder. */
function environment(home: string, cache: string): NodeJS.ProcessEnv {
  const { NODE_COMPILE_CACHE: _, ...own } = process.env;
  return { ...own, HOME: home, XDG_CACHE_HOME: cache };
}

for (const [what, cache, kept] of [
  ['is empty', '', '.cache/tutti'],
  ['takes no folders', '/proc', undefined],
] as const) {
  test(`a command runs where XDG_CACHE_HOME ${what}`, { timeout: 60_000 }, async (t) => {
    const home = mkdtempSync(join(tmpdir(), 'tutti-home-'));
    t.after(() => rmSync(home, { recursive: true }));
    const child = spawn(process.execPath, [MAIN, 'version', '--client'], { cwd: home, env: environment(home, cache) });
    t.after(() => child.kill('SIGKILL'));
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => void (said += text));
    const [code] = (await once(child, 'close')) as [number | null];
    assert.match(said, /^tutti \S+ \(node \S+\)\n$/);
    assert.equal(code, 0);
    assert.deepEqual(readdirSync(home), kept === undefined ? [] : ['.cache']);
    if (kept !== undefined) assert.ok(existsSync(join(home, kept)));
  });
}
