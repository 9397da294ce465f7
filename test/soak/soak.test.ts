import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { growth } from './resident.ts';
import { type SoakReport, soak } from './soak.ts';

/** A minute, of which the second half is looked at: enough to see what leaks with each request, renewal or connection. */
const SECONDS = 60;
/** In its first minutes V8 still looks for the size of its heap, so that only a flood of memory shows. `npm run soak` looks closer. */
const MOST_GROWTH = 1.5;

let report: SoakReport;

before(async () => {
  report = await soak(SECONDS, () => {});
});

test('no GET fails, whatever some replicas do', () => {
  const { failed, sent, detail } = report.get;
  // Of 100 a second: a machine that is held up sends fewer.
  assert.ok(sent > SECONDS * 30, `${sent} sent: ${detail}`);
  assert.equal(failed, 0, `${failed} of ${sent}: ${detail}`);
});

test('no POST fails that another try could have saved, and none is tried twice', () => {
  const { sent, failed, saveable, repeated } = report.posts;
  assert.ok(sent > SECONDS * 3, `${sent} sent`);
  // Of seven replicas one fails a third of what it is asked, one a fifth, one a seventh: 9.7 % of all. None of 180 is a chance of 1e-8.
  assert.ok(failed > 0, `the replicas were as faulty as they should be: none of ${sent} failed`);
  assert.deepEqual(saveable, []);
  assert.deepEqual(repeated, []);
});

test('slow readers, slow writers and long conversations get all that is theirs', () => {
  for (const { done, failed } of [report.slowReaders, report.slowWriters, report.conversations]) {
    assert.ok(done > SECONDS / 10, `${done} done`);
    assert.deepEqual(failed, []);
  }
});

test('certificates were renewed and replicas came and went all the while', () => {
  assert.ok(report.rotations > 1, `${report.rotations} rotations`);
  assert.ok(report.churns > 1, `${report.churns} changes`);
});

test('no proxy keeps a descriptor, and none swells', () => {
  assert.equal(report.proxies.length, 6, 'the ingress and five sidecars');
  for (const { name, descriptorsBefore, descriptorsAfter, open, earlyRssMb, rssMb } of report.proxies) {
    const kept = descriptorsAfter > descriptorsBefore ? `: ${open.join(', ')}` : '';
    assert.ok(
      descriptorsAfter <= descriptorsBefore,
      `${name}: ${descriptorsBefore} before, ${descriptorsAfter} after${kept}`,
    );
    assert.ok(rssMb < MOST_GROWTH * earlyRssMb, `${name}: ${earlyRssMb} MB after 20 s, ${rssMb} MB at the end`);
  }
});

test('growth is the slope of most pairs, whatever a single burst does', () => {
  const at = (seconds: number, rssMb: number) => ({ seconds, rssMb, descriptors: 0 });
  assert.equal(growth([at(0, 50), at(60, 51), at(120, 52), at(180, 53)]), 1);
  assert.equal(growth([at(0, 50), at(60, 90), at(120, 50), at(180, 50), at(240, 50)]), 0);
});
