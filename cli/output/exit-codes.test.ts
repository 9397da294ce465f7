import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXIT } from './exit-codes.ts';

test('docs/reference/exit-codes.md lists every exit, and nothing else', () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'reference', 'exit-codes.md'), 'utf8');
  const rows = [...page.matchAll(/^\| (\w+) +\| (\d+) +\| (.+?) +\|$/gm)].map(([, name, code, meaning]) => ({
    name,
    code: Number(code),
    meaning,
  }));
  assert.deepEqual(
    rows,
    Object.entries(EXIT).map(([name, { code, meaning }]) => ({ name, code, meaning })),
  );
});
