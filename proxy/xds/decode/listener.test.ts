import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type FilterChainInput,
  HttpInspector,
  Listener,
  type ListenerInput,
  ProxyProtocol,
  TcpProxy,
  TlsInspector,
} from '../../../xds/messages.js';
import type { ListenerConfig } from '../../listener/listener-config.ts';
import { decodeListener } from './listener.ts';

const filter = (codec: typeof TlsInspector, more = {}) => ({
  name: codec.getTypeUrl(),
  typedConfig: { typeUrl: codec.getTypeUrl(), value: codec.encode(more).finish() },
});
const chain = (filterChainMatch: FilterChainInput['filterChainMatch'] = {}, proxy = { cluster: 'app' }) => ({
  name: 'c',
  filterChainMatch,
  filters: [{ name: 'tcp', typedConfig: { typeUrl: TcpProxy.getTypeUrl(), value: TcpProxy.encode(proxy).finish() } }],
});
const decoded = (more: ListenerInput): ListenerConfig => {
  const address = { socketAddress: { address: '127.0.0.1', portValue: 1 } };
  return decodeListener(Listener.encode({ name: 'l', address, filterChains: [chain()], ...more }).finish());
};
const NET = { addressPrefix: '10.0.0.0', prefixLen: { value: 8 } };

test('what is looked for before a chain is chosen follows from the listener’s filters', () => {
  const seconds = { seconds: 2 };
  const named = [chain({ serverNames: ['a.example'] })];
  for (const [what, more, opening] of [
    ['nothing', {}, undefined],
    ['TLS that is ended here', { listenerFilters: [filter(TlsInspector)] }, undefined],
    ['HTTP', { listenerFilters: [filter(HttpInspector)] }, { look: 'http', timeoutMs: 100 }],
    [
      'HTTP for longer',
      { listenerFilters: [filter(HttpInspector)], listenerFiltersTimeout: seconds },
      { look: 'http', timeoutMs: 2000 },
    ],
    ['server names', { filterChains: named }, { look: 'server-name', timeoutMs: 15_000 }],
  ] as const) {
    assert.deepEqual(decoded(more).opening, opening, what);
  }
});

test('clients are believed by the filter, from the networks that all chains are for', () => {
  const accept = [filter(ProxyProtocol)];
  const ranged = [chain({ directSourcePrefixRanges: [NET] })];
  const timeoutMs = 15_000;
  assert.deepEqual(decoded({ listenerFilters: accept }).acceptProxyProtocol, { sources: [], timeoutMs });
  const { acceptProxyProtocol } = decoded({ listenerFilters: accept, filterChains: ranged });
  assert.deepEqual(acceptProxyProtocol, { sources: ['10.0.0.0/8'], timeoutMs });
  const optional = filter(ProxyProtocol, { allowRequestsWithoutProxyProtocol: true });
  for (const [more, words] of [
    [{ filterChains: ranged }, /without the PROXY protocol/],
    [{ listenerFilters: accept, filterChains: [...ranged, chain()] }, /ranges differ/],
    [{ listenerFilters: [optional] }, /left away/],
    [{ listenerFilters: [{ name: 'strange' }] }, /"strange": is not known here/],
    [
      { listenerFilters: [filter(HttpInspector)], filterChains: [chain({ serverNames: ['a'] })] },
      /beside server names/,
    ],
    [{ filterChains: [chain({}, { cluster: '' })] }, /names no cluster/],
  ] as const) {
    assert.throws(() => decoded(more), words);
  }
});

test('a chain of bytes leads to one cluster, or to several by weight', () => {
  const clusters = [
    { name: 'a', weight: 3 },
    { name: 'b', weight: 1 },
  ];
  const value = TcpProxy.encode({ weightedClusters: { clusters } }).finish();
  const filters = [{ name: 'tcp', typedConfig: { typeUrl: TcpProxy.getTypeUrl(), value } }];
  assert.deepEqual(decoded({}).chains[0]?.tcp, { cluster: 'app' });
  assert.deepEqual(decoded({ filterChains: [{ name: 'c', filters }] }).chains[0]?.tcp, {
    weighted: [
      { cluster: 'a', weight: 3 },
      { cluster: 'b', weight: 1 },
    ],
  });
});
