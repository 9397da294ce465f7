import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindWords, type Wanted, wantedFrom } from './words.ts';

const names = (plural: string, prefix = '', namespace?: string): Wanted => ({
  what: 'names',
  plural,
  prefix,
  namespace,
});

const table: readonly (readonly [line: string, current: string, wanted: Wanted | undefined])[] = [
  ['get', 'po', undefined],
  ['get pods', '', names('pods')],
  ['get po', 'we', names('pods')],
  ['get Deployment', '', names('deployments')],
  ['get pods web-1', '', names('pods')],
  ['get -n shop pods', '', names('pods', '', 'shop')],
  ['get pods --namespace shop', '', names('pods', '', 'shop')],
  ['get -A pods', '', names('pods')],
  ['describe', 'deploy/we', names('deployments', 'deploy/')],
  ['delete', 'nothing/we', undefined],
  ['scale', 'deployment/', names('deployments', 'deployment/')],
  ['rollout status', 'deployment/', names('deployments', 'deployment/')],
  ['logs', '', names('pods')],
  ['logs -f', 'deployment/', names('deployments', 'deployment/')],
  ['canary', '', names('httproutes')],
  ['canary catalog', '', undefined],
  ['get pods -n', '', { what: 'namespaces' }],
  ['get --namespace', 'sh', { what: 'namespaces' }],
  ['get pods', '--wat', undefined],
  ['get pods -o', '', undefined],
  ['apply -f', '', undefined],
  ['version', '', undefined],
  ['', '', undefined],
];

for (const [line, current, wanted] of table) {
  test(`at "tutti ${line} ${current}|" the cluster is asked for ${wanted === undefined ? 'nothing' : JSON.stringify(wanted)}`, () => {
    assert.deepEqual(
      wantedFrom(
        line.split(' ').filter((word) => word !== ''),
        current,
      ),
      wanted,
    );
  });
}

test('a command offers the kinds that it takes', () => {
  assert.ok(kindWords('get').includes('httproutes'));
  assert.deepEqual(kindWords('rollout'), ['deployments']);
  assert.deepEqual(kindWords('version'), []);
});
