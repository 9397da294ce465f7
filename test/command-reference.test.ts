import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { renderCommands } from '../tools/command-reference.ts';

test('docs/reference/commands.md says what the commands say (made anew by "node tools/command-reference.ts")', () => {
  const page = readFileSync(join(import.meta.dirname, '..', 'docs', 'reference', 'commands.md'), 'utf8');
  assert.equal(page, renderCommands());
});
