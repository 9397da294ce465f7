import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type Random, seededRandom } from '../../kit/random.ts';
import { cluster, endpoint, outlierDetection } from '../test-support/tables.ts';
import { ClusterState } from './cluster-state.ts';
import type { EndpointState } from './endpoint-state.ts';

const NEVER_BY_CHANCE: Random = () => 0;

interface Watch {
  readonly state: ClusterState;
  readonly hosts: readonly EndpointState[];
  answers(host: number, nowMs: number, ...statuses: readonly number[]): void;
  ejected(nowMs: number): readonly number[];
}

function watch(count: number, detection: Parameters<typeof outlierDetection>[0], panicPercent = 0): Watch {
  const endpoints = Array.from({ length: count }, (_, at) => endpoint(at + 1));
  const state = new ClusterState(cluster('c', [], { endpoints, outliers: outlierDetection(detection), panicPercent }));
  const hosts = [...state.endpoints];
  // The interval's turns are counted from here.
  state.sweepOutliers(0, NEVER_BY_CHANCE);
  return {
    state,
    hosts,
    answers: (host, nowMs, ...statuses) => {
      const endpointState = hosts[host] as EndpointState;
      for (const status of statuses) {
        if (status < 500) endpointState.outlier.succeed();
        else state.failed(endpointState, status, nowMs, NEVER_BY_CHANCE);
      }
    },
    ejected: (nowMs) => {
      state.sweepOutliers(nowMs, NEVER_BY_CHANCE);
      return hosts.flatMap(({ outlier }, at) => (outlier.ejected ? [at] : []));
    },
  };
}

const five = (status: number): readonly number[] => Array.from({ length: 5 }, () => status);

// What each answer counts as: Envoy, docs/root/intro/arch_overview/upstream/outlier.rst, "Detection types", and
// source/common/upstream/outlier_detection_impl.cc, putHttpResponseCode.
const GATEWAY_ONLY = { consecutive_5xx: 0, consecutive_gateway_failure: 100 };
const TABLE: readonly (readonly [title: string, enforcing: object, statuses: readonly number[], ejected: boolean])[] = [
  ['five answers of 500 in a row', {}, five(500), true],
  ['four answers of 500', {}, [500, 500, 500, 500], false],
  ['a success among them', {}, [500, 500, 500, 500, 200, 500, 500], false],
  ['a 404 among them, which is a success', {}, [500, 500, 500, 500, 404, 500], false],
  ['gateway failures, which are 5xx too', {}, five(503), true],
  ['five gateway failures', GATEWAY_ONLY, [502, 503, 504, 503, 503], true],
  ['answers of 500, which are no gateway failures', GATEWAY_ONLY, [...five(500), ...five(500)], false],
  ['a 500 between gateway failures', GATEWAY_ONLY, [503, 503, 503, 503, 500, 503], false],
  ['nothing enforced', { consecutive_5xx: 0 }, [...five(503), ...five(500)], false],
];

for (const [title, enforcing, statuses, ejected] of TABLE) {
  test(`${title}: ${ejected ? 'ejected' : 'stays'}`, () => {
    const set = watch(10, { enforcing });
    set.answers(0, 0, ...statuses);
    assert.deepEqual(set.ejected(0), ejected ? [0] : []);
  });
}

test('the time grows with each ejection, up to the most, falls again in good times, and ends at a turn of the interval', () => {
  const set = watch(10, { intervalMs: 10_000, baseEjectionMs: 25_000, maxEjectionMs: 60_000 });
  const outFor = (fromMs: number): number => {
    set.answers(0, fromMs, ...five(500));
    assert.deepEqual(set.ejected(fromMs), [0]);
    let now = fromMs;
    while (set.ejected(now).length > 0) now += 1000;
    return now - fromMs;
  };
  assert.equal(outFor(1000), 29_000);
  // The multiplier is still 1: the second time is twice the first, until the turn after it.
  assert.equal(outFor(31_000), 59_000);
  assert.equal(outFor(91_000), 69_000);
  assert.equal(outFor(161_000), 69_000);
  // Each turn without an ejection takes one away, of four.
  set.ejected(271_000);
  assert.equal(outFor(272_000), 28_000);
  assert.equal(set.hosts[0]?.outlier.ejections, 5);
});

test('who would go beyond the share stays, and is counted', () => {
  const set = watch(4, { maxEjectionPercent: 50 });
  for (const host of [0, 1, 2, 3]) set.answers(host, 0, ...five(500));
  assert.deepEqual(set.ejected(0), [0, 1]);
  assert.equal(set.state.outliers?.overflow, 2);
  assert.equal(set.state.outliers?.enforced.consecutive_5xx, 2);
  // Found again after as many failures more, not at each.
  set.answers(2, 0, 500, 500, 500, 500);
  assert.equal(set.state.outliers?.overflow, 2);
  const one = watch(2, { maxEjectionPercent: 10 });
  one.answers(0, 0, ...five(500));
  assert.deepEqual(one.ejected(0), []);
  const always = watch(2, { maxEjectionPercent: 10, alwaysEjectOneHost: true });
  always.answers(0, 0, ...five(500));
  always.answers(1, 0, ...five(500));
  assert.deepEqual(always.ejected(0), [0]);
});

test('who answers worse than the others is ejected at the turn, by rate or by percentage', () => {
  const rates = (
    detection: Parameters<typeof outlierDetection>[0],
    successes: readonly number[],
  ): readonly number[] => {
    const set = watch(successes.length, { enforcing: { consecutive_5xx: 0, ...detection?.enforcing } });
    successes.forEach((successful, host) => {
      for (let turn = 0; turn < 100; turn++) set.answers(host, 0, turn < successful ? 200 : 500);
    });
    assert.deepEqual(set.ejected(9999), []);
    return set.ejected(10_000);
  };
  // Envoy's own example, outlier_detection_impl.cc: rates of 50 and four times 100 have their threshold at 52.
  assert.deepEqual(rates({ enforcing: { success_rate: 100 } }, [50, 100, 100, 100, 100]), [0]);
  assert.deepEqual(rates({ enforcing: { success_rate: 100 } }, [50, 50, 100, 100, 100]), []);
  assert.deepEqual(rates({ enforcing: { success_rate: 100 } }, [50, 100, 100, 100]), [], 'fewer than five hosts');
  assert.deepEqual(rates({ enforcing: { failure_percentage: 100 } }, [15, 16, 100, 100, 100]), [0]);
  assert.deepEqual(rates({}, [0, 100, 100, 100, 100]), []);
});

test('with fewer than the panic percentage left, requests go to all that are healthy, ejected ones too', () => {
  const set = watch(4, { maxEjectionPercent: 100 }, 50);
  const picked = (): number => {
    const random = seededRandom(5);
    return new Set(Array.from({ length: 40 }, () => set.state.pick(undefined, 1, random))).size;
  };
  set.answers(0, 0, ...five(500));
  set.answers(1, 0, ...five(500));
  assert.equal(picked(), 2);
  assert.equal(set.state.panics, 0);
  set.answers(2, 0, ...five(500));
  assert.equal(picked(), 4);
  assert.equal(set.state.panics, 40);
});

test('an endpoint that leaves and comes back begins anew, and a cluster without the detection picks all', () => {
  const set = watch(2, { maxEjectionPercent: 100 });
  set.answers(0, 0, ...five(500));
  set.state.update(cluster('c', [2], { outliers: outlierDetection({}) }));
  set.state.update(cluster('c', [1, 2], { outliers: outlierDetection({}) }));
  assert.equal([...set.state.endpoints].filter(({ outlier }) => outlier.ejected).length, 0);
  const off = watch(2, { maxEjectionPercent: 100 });
  off.answers(0, 0, ...five(500));
  off.state.update(cluster('c', [1, 2]));
  const random = seededRandom(5);
  assert.equal(new Set(Array.from({ length: 9 }, () => off.state.pick(undefined, 0, random))).size, 2);
});

const step = fc.record({
  host: fc.nat({ max: 7 }),
  status: fc.constantFrom(200, 404, 500, 502, 503),
  repeats: fc.integer({ min: 1, max: 7 }),
  passMs: fc.integer({ min: 0, max: 40_000 }),
});
const percent = fc.integer({ min: 0, max: 100 });

test('never is a larger share ejected than allowed, nobody for longer than the most and a turn, and none that answers well', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 1, max: 8 }),
      percent,
      fc.integer(),
      (steps, count, maxEjectionPercent, seed) => {
        const random = seededRandom(seed);
        const detection = outlierDetection({
          maxEjectionPercent,
          baseEjectionMs: 20_000,
          maxEjectionMs: 60_000,
          maxEjectionJitterMs: 5000,
          consecutive5xx: 3,
          enforcing: { consecutive_5xx: 70, consecutive_gateway_failure: 50, success_rate: 100 },
        });
        const endpoints = Array.from({ length: count }, (_, at) => endpoint(at + 1));
        const state = new ClusterState(cluster('c', [], { endpoints, outliers: detection, panicPercent: 50 }));
        const hosts = [...state.endpoints];
        let now = 0;
        for (const { host, status, repeats, passMs } of steps) {
          now += passMs;
          const picked = state.pick(undefined, now, random);
          const staying = hosts.filter(({ outlier }) => !outlier.ejected);
          assert.ok(picked !== undefined, 'somebody is always picked');
          assert.ok(staying.length * 2 < count || staying.includes(picked), 'none that is ejected, unless most are');
          for (const { outlier } of hosts) {
            if (outlier.ejected) assert.ok(now - outlier.ejectedAtMs <= 60_000 + 5000 + 10_000);
          }
          const target = hosts[host % count] as EndpointState;
          for (let turn = 0; turn < repeats; turn++) {
            const before = target.outlier.ejections;
            if (status < 500) target.outlier.succeed();
            else state.failed(target, status, now, random);
            if (status < 500) assert.equal(target.outlier.ejections, before);
          }
          const ejected = hosts.filter(({ outlier }) => outlier.ejected).length;
          assert.ok((100 * ejected) / count <= maxEjectionPercent, `${ejected} of ${count}`);
        }
      },
    ),
  );
});
