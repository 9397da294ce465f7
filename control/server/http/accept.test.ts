import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../../../api/meta/api-error.ts';
import { negotiate, wantsAggregatedDiscovery } from './accept.ts';

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';

const cases: readonly (readonly [accept: string | undefined, answer: string])[] = [
  [undefined, 'json object'],
  ['', 'json object'],
  ['*/*', 'json object'],
  ['application/json', 'json object'],
  ['application/yaml', 'yaml object'],
  [`${TABLE},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json`, 'json table'],
  ['application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json', 'json object'],
  ['application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json', 'json metadata'],
  ['application/vnd.kubernetes.protobuf,application/json', 'json object'],
  ['application/json;q=0.5, application/yaml;q=0.9', 'yaml object'],
  ['application/json;q=0, */*;q=0', '406'],
  ['application/vnd.kubernetes.protobuf', '406'],
  ['application/json;as=Table;v=v1;g=other', '406'],
  ['text/html', '406'],
];

for (const [accept, answer] of cases) {
  test(`Accept: ${accept ?? '(none)'} is answered with ${answer}`, () => {
    if (answer !== '406') {
      const { encoding, as } = negotiate(accept);
      assert.equal(`${encoding} ${as}`, answer);
      return;
    }
    assert.throws(
      () => negotiate(accept),
      (error) => error instanceof ApiError && error.code === 406,
    );
  });
}

test('aggregated discovery is for who names its version', () => {
  const v2 = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  assert.equal(wantsAggregatedDiscovery(`${v2},application/json`), true);
  assert.equal(wantsAggregatedDiscovery(v2.replace('v2;', 'v2beta1;')), false);
  assert.equal(wantsAggregatedDiscovery('application/json'), false);
});
