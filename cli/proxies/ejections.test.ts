import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podKind } from '../../api/kinds/pod.ts';
import { type ProxyEjection, proxyKind } from '../../api/kinds/proxy.ts';
import { serviceKind } from '../../api/kinds/service.ts';
import { MESH_ADDRESS } from '../../api/meta/well-known.ts';
import { ejectionsText } from './ejections.ts';

const NOW = Date.parse('2030-01-01T00:00:00Z');
const ejection = (address: string, service: string): ProxyEjection => ({
  cluster: 'service/shop/cart/80',
  address,
  service,
  cause: 'consecutive_gateway_failure',
  until: '2030-01-01T00:00:30Z',
});
const proxy = (name: string, ejected: readonly ProxyEjection[]) =>
  proxyKind.schema.parse({
    apiVersion: 'tutti.dev/v1alpha1',
    kind: 'Proxy',
    metadata: { name, namespace: 'shop' },
    spec: { nodeId: `sidecar/shop/${name}`, mode: 'sidecar' },
    status: { connected: true, ejected },
  });
const service = (name: string) =>
  serviceKind.schema.parse({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'shop' },
    spec: { ports: [{ port: 80 }] },
  });

test('a Service and a pod show who sends them nothing, why and for how long', () => {
  const proxies = [
    proxy('web-2', [ejection('10.0.0.1:28000', 'cart.shop')]),
    proxy('web-1', [ejection('10.0.0.1:28000', 'cart.shop'), ejection('10.0.0.9:28001', 'other.shop')]),
  ];
  assert.equal(
    ejectionsText(service('cart'), proxies, NOW),
    [
      'Ejected:',
      '  ENDPOINT         SERVICE     BY                   WHY                           FOR',
      '  10.0.0.1:28000   cart.shop   sidecar/shop/web-1   consecutive_gateway_failure   30s more',
      '  10.0.0.1:28000   cart.shop   sidecar/shop/web-2   consecutive_gateway_failure   30s more',
      '',
    ].join('\n'),
  );
  const pod = podKind.schema.parse({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'other-1', namespace: 'shop', annotations: { [MESH_ADDRESS]: '10.0.0.9:28001' } },
    spec: { containers: [{ name: 'app', image: 'x:1' }] },
  });
  assert.match(ejectionsText(pod, proxies, NOW + 60_000), /10\.0\.0\.9:28001 .* any moment\n$/);
  assert.equal(ejectionsText(service('web'), proxies, NOW), '');
});
