import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Proxy, type ProxyChange, proxyKind } from '../../api/kinds/proxy.ts';
import { changeProgress } from './changes.ts';

function proxy(name: string, changes: readonly ProxyChange[], connected = true): Proxy {
  return proxyKind.schema.parse({
    apiVersion: 'tutti.dev/v1alpha1',
    kind: 'Proxy',
    metadata: { name, namespace: 'shop', creationTimestamp: '2030-01-01T00:00:00Z', uid: name, resourceVersion: '' },
    spec: { nodeId: `sidecar/shop/${name}`, mode: 'sidecar' },
    status: { connected, changes },
  });
}

const change = (pass: number, object: string, tookMs?: number, refused?: string): ProxyChange => ({
  id: `${pass} ${object}`,
  object,
  changedAt: '2030-01-01T00:00:00Z',
  ...(tookMs === undefined ? {} : { tookMs }),
  ...(refused === undefined ? {} : { refused }),
});

test('a change counts the proxies that have it, and names the slowest and its time', () => {
  const [only] = changeProgress([
    proxy('a', [change(1, 'HTTPRoute/shop/catalog', 12)]),
    proxy('b', [change(1, 'HTTPRoute/shop/catalog', 48)]),
    proxy('c', []),
  ]);
  assert.deepEqual([only?.acked, only?.proxies, only?.slowest, only?.tookMs], [2, 2, 'sidecar/shop/b', 48]);
});

test('while a proxy has not got it, it is the slowest, and there is no time yet', () => {
  const [only] = changeProgress([
    proxy('a', [change(1, 'HTTPRoute/shop/catalog', 12)]),
    proxy('b', [change(1, 'HTTPRoute/shop/catalog', undefined, 'route "outbound": bad')]),
  ]);
  assert.deepEqual([only?.acked, only?.proxies, only?.slowest, only?.tookMs], [1, 2, 'sidecar/shop/b', undefined]);
  assert.deepEqual(only?.refused, ['sidecar/shop/b: route "outbound": bad']);
});

test('a proxy that is away is not waited for, and what it had taken counts', () => {
  const [newer, older] = changeProgress([
    proxy('a', [change(10, 'Service/shop/web', 5), change(9, 'Service/shop/cart', 5)]),
    proxy('b', [change(10, 'Service/shop/web'), change(9, 'Service/shop/cart', 7)], false),
  ]);
  assert.deepEqual([newer?.object, newer?.acked, newer?.proxies], ['Service/shop/web', 1, 1]);
  assert.deepEqual([older?.object, older?.acked, older?.proxies], ['Service/shop/cart', 2, 2]);
});
