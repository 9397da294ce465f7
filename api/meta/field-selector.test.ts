import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Pod, podKind } from '../kinds/pod.ts';
import { ApiError } from './api-error.ts';
import { fieldMatcher } from './field-selector.ts';

const pod = podKind.schema.parse({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web,1', namespace: 'shop' },
  spec: { nodeName: 'n1', containers: [{ name: 'app', image: 'x' }] },
});

const CASES: readonly (readonly [selector: string, matches: boolean])[] = [
  ['', true],
  ['spec.nodeName=n1', true],
  ['spec.nodeName==n1', true],
  ['spec.nodeName!=n1', false],
  ['spec.nodeName=n1,status.phase=Pending', true],
  ['spec.nodeName=n1,status.phase!=Pending', false],
  ['metadata.namespace=shop', true],
  ['metadata.name=web\\,1', true],
  ['spec.nodeName=', false],
];

for (const [selector, matches] of CASES) {
  test(`the field selector '${selector}' ${matches ? 'matches' : 'does not match'} the pod`, () => {
    assert.equal(fieldMatcher<Pod>(podKind, selector)(pod), matches);
  });
}

test('a field that the kind does not offer, and what is no selector, are 400', () => {
  for (const selector of ['spec.color=red', 'spec.nodeName', 'toString=x', 'a=b=c=']) {
    assert.throws(
      () => fieldMatcher<Pod>(podKind, selector),
      (error) => error instanceof ApiError && error.code === 400,
      selector,
    );
  }
});
