import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ORDER_LIMIT_MS } from './ordering.ts';
import type { ResourceKind } from './resource.ts';
import { Session } from './session.ts';
import { KINDS, planOf, SessionPeer, snapshotOf, words } from './test-support/session-peer.ts';

/** What the suites call the types. */
const SERVICE: Readonly<Record<ResourceKind, string>> = {
  cluster: 'CDS',
  endpoints: 'EDS',
  listener: 'LDS',
  route: 'RDS',
};
const WHOLE = ['cluster', 'listener'] as const;
const PARTS = ['endpoints', 'route'] as const;

// The scenarios of the CNCF's xDS test harness (github.com/ii/xds-test-harness, features/), by their names. In each, "the
// service never responds more than necessary": SessionPeer counts every response, also to its ACKs.
describe('xds-test-harness, state-of-the-world', () => {
  for (const kind of WHOLE) {
    const of = (names: string, version?: string) => planOf(kind, names, version);
    test(`[${SERVICE[kind]}] The service should send all resources on a wildcard request`, () => {
      const peer = new SessionPeer('sotw', of('A,B,C'));
      assert.deepEqual(peer.wildcard(kind), [`${kind}: A@1 B@1 C@1`]);
    });
    test(`[${SERVICE[kind]}] The service should send updates to the client`, () => {
      const peer = new SessionPeer('sotw', of('A,B,C'));
      peer.wildcard(kind);
      assert.deepEqual(peer.set({ [kind]: { A: '2', B: '1', C: '1' } }), [`${kind}: A@2 B@1 C@1`]);
    });
    test(`[${SERVICE[kind]}] Wildcard subscriptions receive updates when new resources are added`, () => {
      const peer = new SessionPeer('sotw', of('A,B,C'));
      peer.wildcard(kind);
      assert.deepEqual(peer.set(of('A,B,C,D')), [`${kind}: A@1 B@1 C@1 D@1`]);
    });
    test(`[${SERVICE[kind]}] When subscribing to specific resources, receive response when those resources change`, () => {
      const peer = new SessionPeer('sotw', of('A,B,C,D'));
      peer.subscribe(kind, 'B', 'D');
      assert.deepEqual(peer.set({ [kind]: { A: '1', B: '2', C: '1', D: '1' } }), [`${kind}: B@2 D@1`]);
      assert.deepEqual(peer.set({ [kind]: { A: '2', B: '2', C: '1', D: '1' } }), []);
    });
    test(`[${SERVICE[kind]}] When subscribing to resources that don't exist, receive response when they are created`, () => {
      const peer = new SessionPeer('sotw', of('A,B'));
      assert.deepEqual(peer.subscribe(kind, 'A', 'Z'), [`${kind}: A@1`]);
      assert.deepEqual(peer.set(of('A,B,Z')), [`${kind}: A@1 Z@1`]);
    });
    test(`[${SERVICE[kind]}] Client can unsubcribe from some resources`, () => {
      const peer = new SessionPeer('sotw', of('A,B,C'));
      peer.subscribe(kind, 'A', 'B', 'C');
      assert.deepEqual(peer.unsubscribe(kind, 'B'), []);
      assert.deepEqual(peer.set(of('A,B,C', '2')), [`${kind}: A@2 C@2`]);
    });
  }
  for (const kind of KINDS) {
    const of = (names: string, version?: string) => planOf(kind, names, version);
    test(`[${SERVICE[kind]}] When subscribing to specific resources, receive only these resources`, () => {
      const peer = new SessionPeer('sotw', of('A,B,C,D'));
      assert.deepEqual(peer.subscribe(kind, 'B', 'D'), [`${kind}: B@1 D@1`]);
    });
    test(`[${SERVICE[kind]}] Client can unsubscribe from all resources`, () => {
      const peer = new SessionPeer('sotw', of('A,B,C,D'));
      peer.subscribe(kind, 'A', 'B');
      assert.deepEqual(peer.unsubscribe(kind, 'A', 'B'), []);
      assert.deepEqual(peer.set(of('A,B,C,D', '2')), []);
    });
  }
  for (const kind of PARTS) {
    const of = (names: string, version?: string) => planOf(kind, names, version);
    test(`[${SERVICE[kind]}] When subscribing to specific resources, receive response when those resources change`, () => {
      const peer = new SessionPeer('sotw', of('A,B,C,D'));
      peer.subscribe(kind, 'B', 'D');
      assert.deepEqual(peer.set({ [kind]: { A: '1', B: '2', C: '1', D: '1' } }), [`${kind}: B@2`]);
    });
    test(`[${SERVICE[kind]}] When subscribing to resources that don't exist, receive response when they are created`, () => {
      const peer = new SessionPeer('sotw', of('A,B'));
      assert.deepEqual(peer.subscribe(kind, 'A', 'Z'), [`${kind}: A@1`]);
      assert.deepEqual(peer.set(of('A,B,Z')), [`${kind}: Z@1`]);
    });
    test(`[${SERVICE[kind]}] Client can unsubcribe from some resources`, () => {
      const peer = new SessionPeer('sotw', of('B,D'));
      peer.subscribe(kind, 'B', 'D');
      assert.deepEqual(peer.unsubscribe(kind, 'D'), []);
      assert.deepEqual(peer.set(of('B,D', '2')), [`${kind}: B@2`]);
    });
  }
  for (const [one, other] of [
    ['cluster', 'listener'],
    ['route', 'endpoints'],
  ] as const) {
    test(`[${SERVICE[one]}] Client can subscribe to multiple services via ADS`, () => {
      const both = (version: string) => ({ [one]: { B: version }, [other]: { B: '1' } });
      const peer = new SessionPeer('sotw', both('1'));
      assert.deepEqual(peer.subscribe(one, 'B'), [`${one}: B@1`]);
      assert.deepEqual(peer.subscribe(other, 'B'), [`${other}: B@1`]);
      assert.deepEqual(peer.set(both('2')), [`${one}: B@2`]);
    });
  }
});

describe('xds-test-harness, incremental', () => {
  for (const kind of KINDS) {
    const of = (names: string, version?: string) => planOf(kind, names, version);
    test(`[${SERVICE[kind]}] Subscribe to resources one after the other`, () => {
      const peer = new SessionPeer('delta', of('A,B,C'));
      assert.deepEqual(peer.subscribe(kind, 'A'), [`${kind}: A@1`]);
      assert.deepEqual(peer.subscribe(kind, 'B'), [`${kind}: B@1`]);
    });
    test(`[${SERVICE[kind]}] When a resource is updated, receive response for only that resource`, () => {
      const peer = new SessionPeer('delta', of('A,B,C'));
      assert.deepEqual(peer.subscribe(kind, 'A', 'B', 'C'), [`${kind}: A@1 B@1 C@1`]);
      assert.deepEqual(peer.set({ [kind]: { A: '2', B: '1', C: '1' } }), [`${kind}: A@2`]);
    });
    test(`[${SERVICE[kind]}] Client is told if resource does not exist, and is notified if it is created`, () => {
      const peer = new SessionPeer('delta', of('A'));
      assert.deepEqual(peer.subscribe(kind, 'A', 'B'), [`${kind}: A@1 -B`]);
      assert.deepEqual(peer.set(of('A,B')), [`${kind}: B@1`]);
    });
    test(`[${SERVICE[kind]}] Client is told when a resource is removed via removed_resources field`, () => {
      const peer = new SessionPeer('delta', of('A,B'));
      peer.subscribe(kind, 'A', 'B');
      assert.deepEqual(peer.set(of('A')), [`${kind}: -B`]);
      assert.deepEqual(peer.set({ [kind]: { A: '1', B: '2' } }), [`${kind}: B@2`]);
    });
    test(`[${SERVICE[kind]}] Client can incrementally unsubscribe from resources`, () => {
      const peer = new SessionPeer('delta', of('A,B'));
      peer.subscribe(kind, 'A', 'B');
      assert.deepEqual(peer.unsubscribe(kind, 'B'), []);
      assert.deepEqual(peer.set({ [kind]: { A: '1', B: '2' } }), []);
      assert.deepEqual(peer.unsubscribe(kind, 'A'), []);
      assert.deepEqual(peer.set(of('A,B', '3')), []);
    });
  }
});

// go-control-plane's tests of its streams and caches (github.com/envoyproxy/go-control-plane, pkg/), as far as they are about
// the protocol and not about its own interfaces. TestSotwSubscriptions' walk through wildcards is in session.test.ts.
describe('go-control-plane', () => {
  test('TestStaleNonce', () => {
    const peer = new SessionPeer('sotw', planOf('cluster', 'A'));
    peer.wildcard('cluster');
    peer.session.setSnapshot(snapshotOf(planOf('cluster', 'A', '2')));
    const [response] = peer.session.take(0).responses;
    peer.request('cluster', { nonce: 'xyz' });
    assert.deepEqual(peer.session.take(0).responses, []);
    assert.equal(peer.session.channel('cluster').awaiting, true);
    peer.request('cluster', { nonce: response?.nonce ?? '' });
    assert.equal(peer.session.channel('cluster').acked.get('A')?.version, '2');
  });

  test('TestAggregatedHandlersDropStaleResponseAfterUnsubscribe', () => {
    const peer = new SessionPeer('sotw', planOf('endpoints', 'A,B'));
    peer.subscribe('endpoints', 'A', 'B');
    peer.session.setSnapshot(snapshotOf({ endpoints: { A: '2', B: '1' } }));
    peer.session.take(0);
    peer.session.setSnapshot(snapshotOf({ endpoints: { A: '2', B: '2' } }));
    assert.deepEqual(peer.unsubscribe('endpoints', 'B'), []);
  });

  for (const kind of WHOLE) {
    test(`TestDeltaResponseHandlersWildcard ${SERVICE[kind]}`, () => {
      const peer = new SessionPeer('delta', planOf(kind, 'A,B'));
      assert.deepEqual(peer.wildcard(kind), [`${kind}: A@1 B@1`]);
      assert.deepEqual(peer.set({ [kind]: { A: '1', B: '2', C: '1' } }), [`${kind}: B@2 C@1`]);
    });
    test(`TestDeltaWildcardSubscriptions: legacy still working, ${SERVICE[kind]}`, () => {
      const peer = new SessionPeer('delta', planOf(kind, 'A,B'));
      peer.wildcard(kind);
      // Naming one does not end a legacy wildcard, and it is sent again because it was asked for.
      assert.deepEqual(peer.subscribe(kind, 'A'), [`${kind}: A@1`]);
      assert.deepEqual(peer.unsubscribe(kind, 'A'), [`${kind}: A@1`]);
      assert.deepEqual(peer.set(planOf(kind, 'A,B', '2')), [`${kind}: A@2 B@2`]);
    });
    test(`TestDeltaWildcardSubscriptions: * subscription/unsubscription support, ${SERVICE[kind]}`, () => {
      const peer = new SessionPeer('delta', planOf(kind, 'A,B,C'));
      assert.deepEqual(peer.subscribe(kind, 'A'), [`${kind}: A@1`]);
      assert.deepEqual(peer.subscribe(kind, '*'), [`${kind}: B@1 C@1`]);
      assert.deepEqual(peer.unsubscribe(kind, '*'), []);
      assert.deepEqual(peer.set(planOf(kind, 'A,B,C', '2')), [`${kind}: A@2`]);
    });
    test(`TestDeltaWildcardSubscriptions: resource specific subscriptions while using wildcard, ${SERVICE[kind]}`, () => {
      const peer = new SessionPeer('delta', planOf(kind, 'A'));
      peer.subscribe(kind, '*', 'A', 'Z');
      assert.deepEqual(peer.unsubscribe(kind, 'A'), [`${kind}: A@1`], 'it still has it as one of all');
      assert.deepEqual(peer.unsubscribe(kind, 'Z'), [`${kind}: -Z`], 'it has it no more');
      assert.deepEqual(peer.unsubscribe(kind, 'never-asked-for'), [], 'a superfluous one is ignored');
    });
  }

  test('TestDeltaSubscriptions: removing all names does not come back to wildcard', () => {
    const peer = new SessionPeer('delta', planOf('cluster', 'A,B'));
    peer.subscribe('cluster', 'A');
    peer.unsubscribe('cluster', 'A');
    assert.equal(peer.session.channel('cluster').wildcard, false);
    assert.deepEqual(peer.set(planOf('cluster', 'A,B', '2')), []);
  });

  test('TestSnapshotCacheDeltaWatch: a name that is asked for again is sent again, and it alone', () => {
    const peer = new SessionPeer('delta', planOf('endpoints', 'A,B'));
    peer.subscribe('endpoints', 'A', 'B');
    assert.deepEqual(peer.subscribe('endpoints', 'A'), ['endpoints: A@1']);
  });

  test('TestDeltaRemoveResources', () => {
    const peer = new SessionPeer('delta', planOf('listener', 'A,B'));
    peer.wildcard('listener');
    assert.deepEqual(peer.set(planOf('listener', 'A')), ['listener: -B']);
    assert.deepEqual([...peer.session.channel('listener').acked.keys()], ['A']);
  });

  test('TestLinearDeltaInitialResourcesVersionSet: a reconnect is told what differs, and what is gone', () => {
    const peer = new SessionPeer('delta', { cluster: { A: '1', B: '2' } });
    peer.request('cluster', { initialVersions: { A: '1', B: '1', C: '1' } });
    assert.deepEqual(peer.taken(), ['cluster: B@2', 'cluster: -C']);
    assert.deepEqual([...peer.session.channel('cluster').acked.keys()].sort(), ['A', 'B']);
  });

  test('TestLinearDeltaInitialResourcesVersionSet: one that has all of its names is told nothing', () => {
    const peer = new SessionPeer('delta', planOf('endpoints', 'A,B'));
    peer.request('endpoints', { subscribe: ['A', 'B'], initialVersions: { A: '1', B: '1' } });
    assert.deepEqual(peer.taken(), []);
    assert.deepEqual(peer.set({ endpoints: { A: '1', B: '2' } }), ['endpoints: B@2']);
  });

  test('TestDeltaMultipleStreams: each stream has its own nonces and its own subscriptions', () => {
    const [one, other] = [
      new SessionPeer('delta', planOf('route', 'A')),
      new SessionPeer('sotw', planOf('route', 'A')),
    ];
    assert.deepEqual(one.subscribe('route', 'A'), ['route: A@1']);
    assert.deepEqual(other.set(planOf('route', 'A', '2')), []);
    assert.deepEqual(other.subscribe('route', 'A'), ['route: A@2']);
  });

  test('TestLinearVersionPrefix: versions do not begin anew with the server', () => {
    const version = () => {
      const session = new Session('sotw');
      session.setSnapshot(snapshotOf(planOf('cluster', 'A,B')));
      session.request({ variant: 'sotw', kind: 'cluster', names: [], nonce: '', error: undefined });
      return session.take(0).responses[0]?.version;
    };
    assert.equal(version(), version());
    assert.notEqual(version(), '1');
  });

  for (const variant of ['sotw', 'delta'] as const) {
    test(`TestTTLResponse, TestSnapshotCacheWithTTL: heartbeats keep endpoints alive and say nothing new, ${variant}`, () => {
      const peer = new SessionPeer(variant, planOf('endpoints', 'A,B'), { timeToLive: true }, 10_000);
      assert.deepEqual(peer.subscribe('endpoints', 'A', 'B'), ['endpoints: A@1 B@1']);
      const { wakeAtMs } = peer.session.take(0);
      assert.equal(wakeAtMs, 5000);
      peer.nowMs = 4999;
      assert.deepEqual(peer.taken(), []);
      peer.nowMs = 5000;
      assert.deepEqual(peer.taken(), ['endpoints: A@1~ B@1~']);
      assert.equal(peer.session.take(5000).wakeAtMs, 10_000);
    });
    test(`a client that does not know of times to live hears no heartbeat, ${variant}`, () => {
      const peer = new SessionPeer(variant, planOf('endpoints', 'A'), { timeToLive: false }, 10_000);
      peer.subscribe('endpoints', 'A');
      peer.nowMs = 60_000;
      assert.deepEqual([peer.taken(), peer.session.take(60_000).wakeAtMs], [[], undefined]);
    });
  }
});

describe('incremental, by the rules of xds_protocol.rst', () => {
  test('a spontaneous request carries no nonce and answers nothing; a stale one changes the subscription all the same', () => {
    const peer = new SessionPeer('delta', planOf('endpoints', 'A,B,C'));
    peer.subscribe('endpoints', 'A');
    peer.session.setSnapshot(snapshotOf({ endpoints: { A: '2', B: '1', C: '1' } }));
    const [open] = peer.session.take(0).responses;
    peer.request('endpoints', { subscribe: ['B'] });
    peer.request('endpoints', { subscribe: ['C'], nonce: 'of-another-stream' });
    assert.equal(peer.session.channel('endpoints').awaiting, true);
    peer.request('endpoints', { nonce: open?.nonce ?? '' });
    assert.deepEqual(peer.taken(), ['endpoints: B@1 C@1']);
  });

  test('a NACK keeps what was accepted, and its content is not sent again until it changes', () => {
    const peer = new SessionPeer('delta', planOf('route', 'A'));
    peer.subscribe('route', 'A');
    peer.session.setSnapshot(snapshotOf(planOf('route', 'A', '2')));
    const [refused] = peer.session.take(0).responses;
    peer.request('route', { nonce: refused?.nonce ?? '', error: 'no such thing' });
    assert.deepEqual(peer.taken(), []);
    const channel = peer.session.channel('route');
    assert.deepEqual([channel.error, channel.acked.get('A')?.version], ['no such thing', '1']);
    assert.equal(channel.uncertain.get('A')?.version, '2');
    assert.deepEqual(peer.set(planOf('route', 'A', '3')), ['route: A@3']);
  });

  test('an empty mesh is answered, so that the client goes on from its start', () => {
    const peer = new SessionPeer('delta', {});
    assert.deepEqual(peer.wildcard('cluster'), ['cluster: ']);
    assert.deepEqual(peer.taken(), []);
  });

  test('one that asks for all listeners gets them at once, though its clusters are not answered yet', () => {
    const peer = new SessionPeer('delta', { cluster: { a: '1' }, endpoints: { a: '1' }, listener: { l: '1' } });
    peer.request('cluster');
    peer.request('listener');
    assert.deepEqual(peer.session.take(0).responses.map(words), ['a@1', 'l@1']);
  });

  test('made before broken: clusters, endpoints, listeners, routes; then clusters go, and their endpoints', () => {
    const plan = (cluster: string) => ({
      cluster: { [cluster]: '1' },
      endpoints: { [cluster]: '1' },
      listener: { l: '1' },
      route: { r: cluster },
    });
    const peer = new SessionPeer('delta', plan('old'));
    peer.wildcard('cluster');
    peer.subscribe('endpoints', 'old');
    peer.wildcard('listener');
    peer.subscribe('route', 'r');
    assert.deepEqual(peer.set(plan('new')), ['cluster: new@1'], 'all else waits for what the client will ask for');
    assert.deepEqual(peer.subscribe('endpoints', 'new'), [
      'endpoints: new@1',
      'route: r@new',
      'cluster: -old',
      'endpoints: -old',
    ]);
  });

  test('the order gives way to a client that does not answer', () => {
    const peer = new SessionPeer('delta', { cluster: { a: '1' }, route: { r: '1' } });
    peer.wildcard('cluster');
    peer.subscribe('route', 'r');
    peer.session.setSnapshot(snapshotOf({ cluster: { a: '2' }, route: { r: '2' } }));
    assert.deepEqual(peer.session.take(0).responses.map(words), ['a@2']);
    assert.deepEqual(peer.session.take(ORDER_LIMIT_MS).responses.map(words), ['r@2']);
  });

  test('endpoints of a changed cluster are said again, because Envoy waits for them', () => {
    const peer = new SessionPeer('delta', { cluster: { a: '1' }, endpoints: { a: '1' } });
    peer.wildcard('cluster');
    peer.subscribe('endpoints', 'a');
    assert.deepEqual(peer.set({ cluster: { a: '2' }, endpoints: { a: '1' } }), ['cluster: a@2', 'endpoints: a@1']);
  });
});
