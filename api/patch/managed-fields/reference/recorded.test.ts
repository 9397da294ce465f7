import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { kindOf } from '../../../kinds/registry.ts';
import { comparable, play } from './play.ts';
import type { Scenario } from './scenarios.ts';

interface Recorded {
  readonly scenario: Scenario;
  readonly answers: readonly unknown[];
}

const text = gunzipSync(readFileSync(join(import.meta.dirname, 'recorded.json.gz'))).toString();
const recorded = JSON.parse(text) as readonly Recorded[];

test("objects, owners and conflicts are what Kubernetes' field manager has answered", () => {
  assert.ok(recorded.length >= 100);
  for (const { scenario, answers } of recorded) {
    const kind = kindOf(scenario.apiVersion, scenario.kind);
    assert.ok(kind !== undefined, scenario.kind);
    const ours = play(scenario, kind.schema).map(comparable);
    assert.deepEqual(JSON.parse(JSON.stringify(ours)), answers, JSON.stringify(scenario));
  }
});
