import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node } from '../../../api/kinds/node.ts';
import { NODE_CERTIFICATES, TOKEN_USED_AT, TOKEN_USED_BY, TOKEN_USED_KEY } from '../../../api/meta/well-known.ts';
import { decideJoin, type JoinQuestion } from './decide-join.ts';

const NOW = Date.UTC(2030, 0, 1);

interface Draft {
  readonly usedBy?: string;
  readonly usedKey?: string;
  readonly node?: { readonly ready?: 'True' | 'Unknown'; readonly joined?: true; readonly ageMs?: number };
}

function question({ usedBy, usedKey = 'key', node }: Draft): JoinQuestion {
  const used =
    usedBy === undefined
      ? {}
      : { [TOKEN_USED_BY]: usedBy, [TOKEN_USED_AT]: '2029-12-31T00:00:00Z', [TOKEN_USED_KEY]: usedKey };
  const present = node === undefined ? undefined : nodeOf(node);
  const metadata = {
    name: 'bootstrap-token-abcdef',
    uid: 'u',
    resourceVersion: '1',
    creationTimestamp: '',
    annotations: used,
  };
  return { node: 'a', keyHash: 'key', tokenId: 'abcdef', token: { metadata }, present, nowMs: NOW };
}

function nodeOf({ ready, joined, ageMs = 60_000 }: NonNullable<Draft['node']>): Node {
  return {
    metadata: {
      name: 'a',
      creationTimestamp: new Date(NOW - ageMs).toISOString(),
      ...(joined === undefined ? {} : { annotations: { [NODE_CERTIFICATES]: 'x' } }),
    },
    spec: {},
    status: ready === undefined ? {} : { conditions: [{ type: 'Ready', status: ready }] },
  } as unknown as Node;
}

const cases: readonly (readonly [what: string, Draft, refused?: RegExp])[] = [
  ['a fresh token and a new name', {}],
  ['the same machine again, whose answer was lost', { usedBy: 'a' }],
  ['the same machine again, ready by now', { usedBy: 'a', node: { ready: 'True' } }],
  [
    'a token that another node has used',
    { usedBy: 'b' },
    /used by node "b" at 2029-12-31T00:00:00Z; each lets one node in/,
  ],
  ['a token replayed for the same name with another key', { usedBy: 'a', usedKey: 'stolen' }, /used by node "a"/],
  [
    "a living node's name",
    { node: { ready: 'True' } },
    /there, with other credentials; .*--node-name.*tutti delete node a/,
  ],
  ['the name of a node that joined a moment ago', { node: { joined: true, ageMs: 1000 } }, /with other credentials/],
  ['the name of a node that joined and never came', { node: { joined: true } }],
  ['the name of a node that is silent', { node: { ready: 'Unknown', joined: true } }],
];
for (const [what, draft, refused] of cases) {
  test(`join with ${what}: ${refused === undefined ? 'let in' : 'refused'}`, () => {
    const decision = decideJoin(question(draft));
    assert.equal(decision.ok, refused === undefined);
    if (!decision.ok) assert.match(decision.message, refused ?? /^$/);
  });
}
