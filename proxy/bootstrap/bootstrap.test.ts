import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBootstrap } from './bootstrap.ts';

const GOOD = {
  mode: 'sidecar',
  nodeId: 'sidecar/shop/web-1',
  namespace: 'shop',
  name: 'web-1',
  serviceAccount: 'web',
  trustDomain: 'tutti.local',
  podAddress: '127.64.0.2',
  api: { server: 'https://127.0.0.1:6443', caFile: '/ca.pem', tokenFile: '/token' },
  xdsAddress: '127.0.0.1:6444',
  admin: { address: '127.64.0.2', port: 15000 },
  stateFolder: '/state',
};

test('a bootstrap file is read whole, with info as the log level and state-of-the-world unless told', () => {
  assert.deepEqual(parseBootstrap(JSON.stringify(GOOD)), { ...GOOD, logLevel: 'info', xdsVariant: 'sotw' });
  const more = {
    ...GOOD,
    mode: 'ingress',
    podAddress: '',
    svidTtlSeconds: 120,
    logLevel: 'debug',
    xdsVariant: 'delta',
  };
  assert.deepEqual(parseBootstrap(JSON.stringify(more)), more);
});

const BAD: readonly (readonly [why: string, change: object, message: RegExp])[] = [
  ['a word that is none of the two', { mode: 'edge' }, /"mode": is "edge", wanted sidecar or ingress/],
  ['a missing field', { nodeId: undefined }, /"nodeId": is missing, wanted text/],
  ['empty text', { name: '' }, /"name": is "", wanted text that is not empty/],
  [
    'a port that is text',
    { admin: { address: '127.0.0.1', port: '1' } },
    /"admin.port": is "1", wanted a whole number/,
  ],
  ['no URL', { api: { ...GOOD.api, server: 'localhost' } }, /"api.server": is "localhost", wanted a URL/],
  [
    'a host and a port without a scheme',
    { api: { ...GOOD.api, server: 'https://127.0.0.1:6443,localhost:6443' } },
    /"api.server": is "https:.*,localhost:6443", wanted a URL/,
  ],
  ['something that is no object', { api: [] }, /"api": is \[\], wanted an object/],
  ['an unknown field', { nodeID: 'x' }, /"nodeID": is not known/],
  ['an unknown field deeper down', { admin: { ...GOOD.admin, host: 'x' } }, /"admin.host": is not known/],
  ['a prototype in disguise', JSON.parse('{"__proto__": {"mode": "sidecar"}}') as object, /"__proto__": is not known/],
];

for (const [why, change, message] of BAD) {
  test(`a bootstrap file with ${why} is refused with the field's path`, () => {
    const text = JSON.stringify({ ...GOOD, ...change });
    const withProto = why.includes('prototype') ? text.replace('{', '{"__proto__":{},') : text;
    assert.throws(() => parseBootstrap(withProto), message);
  });
}
