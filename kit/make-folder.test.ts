import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolder } from './make-folder.ts';

test('a folder and those above it are made, with their mode, and made again for nothing', () => {
  const base = mkdtempSync(join(tmpdir(), 'tutti-folder-'));
  const folder = join(base, 'a', 'b');
  makeFolder(folder, { mode: 0o700 });
  makeFolder(folder, { mode: 0o755 });
  for (const made of [folder, join(base, 'a')]) assert.equal(statSync(made).mode & 0o777, 0o700);
  rmSync(base, { recursive: true });
});

test('where none can be made the system says why, and nothing is waited for', { timeout: 20_000 }, () => {
  const base = mkdtempSync(join(tmpdir(), 'tutti-folder-'));
  writeFileSync(join(base, 'file'), '');
  symlinkSync(join(base, 'nowhere'), join(base, 'dangling'));
  const places = [join(base, 'file'), join(base, 'file', 'a'), join(base, 'dangling', 'a')];
  // Its file system takes no folder, and says that the one above is missing.
  if (process.platform === 'linux') places.push('/proc/tutti', '/proc/tutti/a/b');
  for (const place of places) assert.throws(() => makeFolder(place), /EEXIST|ENOTDIR|ENOENT/, place);
  rmSync(base, { recursive: true });
});
