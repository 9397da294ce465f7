import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACCEPT_PROXY_PROTOCOL, SEND_PROXY_PROTOCOL } from '../../../api/meta/well-known.ts';
import { Cluster, Listener, ProxyProtocolUpstreamTransport, UpstreamTlsContext } from '../../../xds/messages.js';
import type { Resource } from '../resource.ts';
import { gateway, httpRoute, pod, service, slice, worldObjects } from '../test-support/objects.ts';
import { envoyProblems } from '../test-support/validate-envoy.ts';
import { resolveBackend } from './backend.ts';
import { Memo } from './memo.ts';
import { translate } from './translation.ts';

const web = pod('web-1', { at: 2 });

function valid(resource: Resource | undefined): Uint8Array {
  assert.ok(resource !== undefined);
  assert.deepEqual(envoyProblems(resource), []);
  return resource.value;
}

test('a Gateway that takes others’ word has the filter first, and chains for those whom it believes', () => {
  const PORT = [{ name: 'web', port: 80, protocol: 'HTTP' }];
  for (const [value, filters, ranges] of [
    [undefined, [], []],
    ['*', ['envoy.filters.listener.proxy_protocol'], []],
    ['10.0.0.0/8, fd00::1', ['envoy.filters.listener.proxy_protocol'], ['10.0.0.0/8', 'fd00::1/128']],
    ['nonsense', [], []],
  ] as const) {
    const annotations = value === undefined ? {} : { [ACCEPT_PROXY_PROTOCOL]: value };
    const objects = worldObjects({ gateways: [gateway('edge', PORT, { annotations })] });
    const { listener } = translate(objects, 'tutti.local', new Memo()).ingressProxy();
    const { listenerFilters, filterChains } = Listener.decode(valid(listener.get('ingress/default/edge/80')));
    assert.deepEqual(
      listenerFilters.map(({ name }) => name),
      filters,
    );
    const found = filterChains[0]?.filterChainMatch?.directSourcePrefixRanges ?? [];
    assert.deepEqual(
      found.map(({ addressPrefix, prefixLen }) => `${addressPrefix}/${prefixLen?.value}`),
      ranges,
    );
  }
});

test('a Service whose app is to be told is bytes, with the header around its transport, and takes no routes of HTTP', () => {
  for (const version of ['v1', 'v2'] as const) {
    const labelled = { ...web, metadata: { ...web.metadata, labels: { app: 'told' } } };
    const annotations = { [SEND_PROXY_PROTOCOL]: version };
    const services = [service('told', { appProtocol: 'http', outboundPort: 20_001, annotations })];
    const objects = worldObjects({ services, pods: [labelled], endpointSlices: [slice('told', [labelled])] });
    const translation = translate(objects, 'tutti.local', new Memo());
    const snapshot = translation.sidecar('default', 'web-1');
    const { transportSocket } = Cluster.decode(valid(snapshot?.cluster.get('service/default/told/80')));
    const outer = ProxyProtocolUpstreamTransport.decode(transportSocket?.typedConfig?.value ?? new Uint8Array());
    assert.equal(outer.config?.version, version === 'v1' ? 0 : 1);
    const inner = UpstreamTlsContext.decode(outer.transportSocket?.typedConfig?.value ?? new Uint8Array());
    assert.equal(inner.sni, '8080.port.tutti.internal');
    const chainsOf = (name: string): readonly string[] =>
      Listener.decode(valid(snapshot?.listener.get(name))).filterChains.map(({ filters }) => filters[0]?.name ?? '');
    assert.deepEqual(chainsOf('outbound/default/told/80'), ['envoy.filters.network.tcp_proxy']);
    assert.equal(chainsOf('inbound')[1], 'envoy.filters.network.tcp_proxy');
    const ref = { group: '', kind: 'Service', name: 'told', port: 80, weight: 1 };
    const route = httpRoute('r', { rules: [{ backendRefs: [ref] }] });
    const backend = resolveBackend(ref, route, translation.world);
    assert.ok(!backend.ok && backend.reason === 'UnsupportedProtocol');
    assert.match(backend.message, /the port speaks the PROXY protocol, wanted http/);
    assert.equal(resolveBackend(ref, route, translation.world, 'tcp').ok, true);
  }
});
