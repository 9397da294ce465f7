import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltaDiscoveryResponse, DiscoveryResponse } from '../../xds/messages.js';
import { type Resource, resourceMap, TYPE_URL, versionOf } from './resource.ts';
import { differenceOf } from './resource-difference.ts';
import type { SessionResponse } from './session.ts';
import { deltaResponse, sotwResponse } from './wire.ts';

const [MORTAL, FOR_EVER] = [{ timeToLive: true }, { timeToLive: false }];

function endpoints(version: string, more: Partial<Resource> = {}): Resource {
  return { kind: 'endpoints', name: 'a', version, value: Buffer.from(`value ${version}`), carries: [], ...more };
}

/** What many proxies are told: the list is the same object for all. */
function shared(resource: Resource): readonly Resource[] {
  return differenceOf(resourceMap([]), resourceMap([resource])).changed;
}

function response(resources: readonly Resource[], nonce: string, more: Partial<SessionResponse> = {}): SessionResponse {
  const version = versionOf(resourceMap(resources));
  return { kind: 'endpoints', version, nonce, resources, removed: [], heartbeat: false, ...more };
}

test('what many are told differs in its nonce alone, and is otherwise what each would have been told', () => {
  const list = shared(endpoints('1'));
  for (const nonce of ['1', '2', '3']) {
    const one = response(list, nonce);
    const decoded = DiscoveryResponse.decode(sotwResponse(one, FOR_EVER, 'tutti'));
    assert.deepEqual(
      decoded,
      DiscoveryResponse.decode(sotwResponse({ ...one, resources: [...list] }, FOR_EVER, 'tutti')),
    );
    assert.deepEqual([decoded.nonce, decoded.versionInfo, decoded.typeUrl], [nonce, one.version, TYPE_URL.endpoints]);
    assert.equal(Buffer.from(decoded.resources[0]?.value ?? []).toString(), 'value 1');
    const delta = DeltaDiscoveryResponse.decode(deltaResponse(one, FOR_EVER, 'tutti'));
    assert.deepEqual([delta.nonce, delta.resources[0]?.name, delta.resources[0]?.version], [nonce, 'a', '1']);
  }
});

test('the same list in another version, to another kind of client or as a heartbeat is not taken for what was encoded before', () => {
  const list = shared(endpoints('1', { ttlMs: 5000 }));
  const first = response(list, '1');
  const read = (one: SessionResponse, features = MORTAL) =>
    DiscoveryResponse.decode(sotwResponse(one, features, 'tutti'));
  const wrapped = read(first).resources[0]?.typeUrl;
  assert.equal(read(first, FOR_EVER).resources[0]?.typeUrl, TYPE_URL.endpoints);
  assert.notEqual(wrapped, TYPE_URL.endpoints);
  assert.equal(read({ ...first, version: 'later' }).versionInfo, 'later');
  const bytes = (heartbeat: boolean): number => read({ ...first, heartbeat }).resources[0]?.value.length ?? 0;
  assert.ok(bytes(true) < bytes(false), 'a heartbeat has no body');
});

test('what is gone is told beside what many are told', () => {
  const list = shared(endpoints('1'));
  deltaResponse(response(list, '1'), FOR_EVER, 'tutti');
  const { removedResources } = DeltaDiscoveryResponse.decode(
    deltaResponse(response(list, '2', { removed: ['b'] }), FOR_EVER, 'tutti'),
  );
  assert.deepEqual(removedResources, ['b']);
});
