import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalize } from './normalize.ts';

const NOW = Date.parse('2026-01-02T03:04:05Z');
const UID = '0e5a1b0c-3f57-4c5e-9a51-0a1b2c3d4e5f';

function normalized(body: unknown, said = ''): unknown {
  return normalize({ calls: [{ method: 'GET', path: said }] }, [{ code: 200, body }], NOW)[0]?.body;
}

test('uids and versions keep whether they are the same, and lose what they are', () => {
  const object = (resourceVersion: string, uid: string) => ({ metadata: { name: 'a', uid, resourceVersion } });
  assert.deepEqual(normalized([object('7', UID), object('9', UID), object('7', UID.replace('0', '1'))]), [
    object('<version 0.1>', '<uid 0.2>'),
    object('<version 0.3>', '<uid 0.2>'),
    object('<version 0.1>', '<uid 0.4>'),
  ]);
});

test('times of now lose what they are, others stay', () => {
  const times = { creationTimestamp: '2026-01-02T03:03:59Z', renewTime: '2020-01-02T03:04:05.000000Z' };
  assert.deepEqual(normalized(times), { ...times, creationTimestamp: '<time>' });
});

test('addresses and ports that a case names stay, given ones do not', () => {
  const spec = { clusterIP: '127.96.1.2', nodePort: 30_000 };
  assert.deepEqual(normalized(spec), { clusterIP: '<address>', nodePort: '<port>' });
  assert.deepEqual(normalized(spec, 'x?127.96.1.2,30000'), spec);
});

test("a list's version is not counted, its items' are", () => {
  const list = { items: [{ metadata: { name: 'a', resourceVersion: '3' } }], metadata: { resourceVersion: '8' } };
  assert.deepEqual(normalized(list), {
    items: [{ metadata: { name: 'a', resourceVersion: '<version 0.1>' } }],
    metadata: { resourceVersion: '<version>' },
  });
});

test('a generated name shows its prefix, also where it stands again', () => {
  const body = { metadata: { generateName: 'web-', name: 'web-x7k2p' }, note: 'pods "web-x7k2p" is here' };
  assert.deepEqual(normalized(body), {
    metadata: { generateName: 'web-', name: 'web-<suffix>' },
    note: 'pods "web-<suffix>" is here',
  });
});

test('causes are told in one order, in the list and in the message', () => {
  const [first, second] = ['spec.a: Required value', 'spec.b: Invalid value: 1: too few'] as const;
  const causes = [first, second].map((line) => ({ field: line.slice(0, 6), message: line.slice(8) }));
  const status = { message: `Pod "x" is invalid: [${second}, ${first}]`, details: { causes: causes.toReversed() } };
  assert.deepEqual(normalized(status), {
    message: `Pod "x" is invalid: [${first}, ${second}]`,
    details: { causes },
  });
});
