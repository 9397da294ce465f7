import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { METRIC_NAMES } from './metrics.ts';
import { REASONS } from './reason.ts';

/** First cells of a page's table that are set as code. */
function documented(page: string): string[] {
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'reference', page), 'utf8');
  return [...text.matchAll(/^\| `([^`]+)`/gm)].map((match) => match[1] ?? '').sort();
}

test('the page of metrics and the metrics agree', () => {
  assert.deepEqual(documented('metrics.md'), METRIC_NAMES);
});

test('the page of reason codes and the registry agree', () => {
  const codes = REASONS.map(([reason]) => reason).filter((reason) => reason !== '');
  assert.deepEqual(documented('reason-codes.md'), codes.sort());
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'reference', 'reason-codes.md'), 'utf8');
  for (const [, meaning] of REASONS) assert.ok(text.includes(meaning), meaning);
});
