import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node } from '../kinds/node.ts';
import { CARRIED_IDENTITIES, type CarriedIdentity, carryingOf, readCarried } from './carried-identities.ts';
import { readTrustRequest, readTrustState, TRUST_REQUEST, type TrustState, trustData } from './trust-bundle.ts';

const SHOWN = {
  spiffeId: 'spiffe://tutti.local/ns/a/sa/b',
  serial: '4A',
  issuer: 'ab',
  notAfter: '2030-01-01T00:00:00Z',
};

function node(name: string, options: { readonly ready?: boolean; readonly carried?: object | string }): Node {
  const { ready = true, carried } = options;
  const text = typeof carried === 'string' ? carried : JSON.stringify(carried);
  return {
    metadata: { name, ...(carried === undefined ? {} : { annotations: { [CARRIED_IDENTITIES]: text } }) },
    status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'Unknown' }] },
  } as unknown as Node;
}

const proxy = (name: string, generation: number, isProxy = true): CarriedIdentity => ({
  ...SHOWN,
  name,
  generation,
  isProxy,
});

const CASES: readonly (readonly [what: string, nodes: readonly Node[], waiting: readonly string[], total: number])[] = [
  ['nobody', [], [], 0],
  ['an agent that has said nothing, but is there', [node('a', {})], ['agent of node a'], 1],
  ['an agent that has said nothing and is not there', [node('a', { ready: false })], [], 0],
  ['an agent that says nonsense', [node('a', { carried: '{"generation":' })], ['agent of node a'], 1],
  ['an agent that is behind', [node('a', { carried: { generation: 2, identities: [] } })], ['agent of node a'], 1],
  [
    'an agent that went away while a proxy of its was behind',
    [node('a', { ready: false, carried: { generation: 3, identities: [proxy('pod/a/b', 2), proxy('ingress', 3)] } })],
    ['pod/a/b'],
    3,
  ],
  [
    'an ingress that is behind, and a workload without a proxy',
    [node('a', { carried: { generation: 3, identities: [proxy('ingress', 0), proxy('pod/a/c', 0, false)] } })],
    ['ingress of node a'],
    2,
  ],
  ['all', [node('a', { carried: { generation: 4, identities: [proxy('ingress', 3), proxy('pod/a/b', 4)] } })], [], 3],
];

for (const [what, nodes, waiting, total] of CASES) {
  test(`a generation waits for what is behind: ${what}`, () => {
    assert.deepEqual(carryingOf(nodes, 3), { total, carried: total - waiting.length, waiting });
  });
}

test('what is published is read again, and what makes no sense is not there', () => {
  const state: TrustState = {
    stage: 'overlap',
    generation: 7,
    issuer: 'ab',
    answer: { id: 'x', ok: true, message: '' },
  };
  const data = trustData(state, 'PEM');
  assert.deepEqual(readTrustState({ data }), state);
  assert.equal(data['ca.crt'], 'PEM');
  for (const text of ['', '{}', 'null', '{"stage":"other","generation":1,"issuer":""}']) {
    assert.equal(readTrustState({ data: { state: text } }), undefined);
  }
  const asked = (text: string) =>
    readTrustRequest({ metadata: { name: 'x', annotations: { [TRUST_REQUEST]: text } } as never });
  assert.deepEqual(asked('{"id":"1","step":"add"}'), { id: '1', step: 'add', force: false });
  for (const text of ['', '{"id":"1","step":"undo"}', '{"step":"add"}', '[]']) assert.equal(asked(text), undefined);
  assert.equal(readCarried({ metadata: { name: 'x' } as never }), undefined);
});
