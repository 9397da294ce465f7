import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serviceKind } from '../kinds/service.ts';
import { DEFAULT_OUTLIER_POLICY, parseOutlierPolicy } from './outlier-policy.ts';

test('an outlier policy is read from one line, and what it does not say stays the default', () => {
  assert.deepEqual(parseOutlierPolicy(undefined), { policy: DEFAULT_OUTLIER_POLICY });
  assert.deepEqual(parseOutlierPolicy(' off '), { policy: undefined });
  assert.deepEqual(parseOutlierPolicy('consecutive5xxErrors=3, baseEjectionTime=1m30s,maxEjectionPercent=100'), {
    policy: {
      ...DEFAULT_OUTLIER_POLICY,
      consecutive5xxErrors: 3,
      baseEjectionTimeMs: 90_000,
      maxEjectionPercent: 100,
    },
  });
});

for (const [text, problem] of [
  ['', /^"": wanted off, or NAME=VALUE of consecutive5xxErrors, /],
  ['on', /^"on": wanted off, or NAME=VALUE/],
  ['toString=1', /^"toString=1": wanted off/],
  ['interval=1s=2s', /^"interval=1s=2s": wanted off/],
  ['consecutive5xxErrors=-1', /: wanted a whole number$/],
  ['interval=0s', /^"interval=0s": wanted a duration such as 10s$/],
  ['interval=10', /: wanted a duration such as 10s$/],
  ['interval=1s,maxEjectionPercent=101', /^"maxEjectionPercent=101": wanted a percentage from 0 to 100$/],
] as const) {
  test(`the outlier policy ${JSON.stringify(text)} is refused with what was wanted`, () => {
    const parsed = parseOutlierPolicy(text);
    assert.match('problem' in parsed ? parsed.problem : 'no problem', problem);
  });
}

test('a Service whose policy cannot be read is warned of', () => {
  const warnings = (annotation: string): readonly string[] =>
    serviceKind.warnings(
      serviceKind.schema.parse({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web', annotations: { 'tutti.dev/outlier-detection': annotation } },
        spec: { ports: [{ port: 80 }] },
      }),
    );
  assert.deepEqual(warnings('consecutive5xxErrors=5'), []);
  assert.deepEqual(warnings('interval=soon'), [
    'metadata.annotations[tutti.dev/outlier-detection]: "interval=soon": wanted a duration such as 10s; until then the defaults hold',
  ]);
});
