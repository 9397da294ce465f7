import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandError } from '../output/exit-codes.ts';
import { runProxyProcess } from './proxy.ts';

for (const [options, words] of [
  [{ bootstrap: '/nowhere/bootstrap.json' }, /^read bootstrap file "\/nowhere\/bootstrap.json": ENOENT/],
  [{ bootstrap: import.meta.filename }, /^read bootstrap file ".*": /],
] as const) {
  test(`tutti proxy tells what is wrong with its bootstrap in words: ${words.source}`, async () => {
    await assert.rejects(runProxyProcess(options), (error) => {
      assert.ok(error instanceof CommandError, String(error));
      assert.match(error.message, words);
      return true;
    });
  });
}
