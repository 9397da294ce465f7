import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { bundleCli } from './bundle-cli.ts';

const root = join(import.meta.dirname, '..');

test('the bundled commands run without the repository, and say what the sources say', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-bundle-'));
  try {
    await bundleCli(join(folder, 'dist', 'cli', 'bundle'));
    copyFileSync(join(root, 'package.json'), join(folder, 'package.json'));
    const run = async (program: string, args: readonly string[]) => {
      const { NODE_COMPILE_CACHE, PATH } = process.env;
      const env = { NODE_COMPILE_CACHE, PATH, HOME: folder };
      const child = spawn(process.execPath, [program, ...args], {
        cwd: folder,
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const [out, err, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
      return { out, err, status };
    };
    const bundle = join(folder, 'dist', 'cli', 'bundle', 'command-line.js');
    for (const args of [['--help'], ['get', 'pods']]) {
      assert.deepEqual(await run(bundle, args), await run(join(root, 'cli', 'command-line.ts'), args), args.join(' '));
    }
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    const { out } = await run(bundle, ['version', '--client', '-o', 'yaml']);
    assert.match(out, new RegExp(`version: ${version}\n`));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
