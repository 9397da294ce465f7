import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ATTACKS } from './attacks.ts';
import { measure, sentence } from './measure.ts';

// A short look at what `main.ts` measures with 10,000 clients.
const CLIENTS = 300;
const PACE = { forMs: 1500, headerTimeoutMs: 1000 };
/** What the collector may leave lying about, however few clients there are. */
const SLACK_BYTES = 64 * 1024 * 1024;

for (const attack of ATTACKS) {
  test(`${attack.name}: the neighbours are served, and each client costs at most ${attack.bytesPerClient / 1024} KB`, async (t) => {
    const figures = await measure(attack, CLIENTS, PACE);
    t.diagnostic(sentence(figures));
    assert.equal(figures.neighbours.failed, 0, sentence(figures));
    assert.ok(figures.neighbours.asked > 5);
    const most = figures.clients * attack.bytesPerClient + SLACK_BYTES;
    assert.ok(figures.rssPeakBytes - figures.rssBeforeBytes < most, sentence(figures));
  });
}
