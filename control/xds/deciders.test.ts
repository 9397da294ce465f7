import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { UNROUTED } from '../../api/meta/well-known.ts';
import { convergenceOf, takeCensus } from './convergence.ts';
import { type KindView, type ProxyView, RECONNECT_GRACE_MS } from './proxy-view.ts';
import { type Resource, type ResourceKind, resourceMap, type Snapshot } from './resource.ts';
import { convergedCondition } from './status/converged.ts';
import { pod } from './test-support/objects.ts';
import { carriedPod } from './translate/names.ts';
import { unroutedPods } from './unrouted.ts';

const NOW = 1_000_000;
const LONG_AGO = 0;

function resource(kind: ResourceKind, name: string, version: string, carries: readonly string[] = []): Resource {
  return { kind, name, version, value: new Uint8Array(), carries };
}

function view({
  unanswered = [],
  ...plan
}: Partial<Omit<KindView, 'unanswered'>> & { readonly unanswered?: readonly string[] } = {}): KindView {
  const nothing = { sentVersion: undefined, ackedVersion: undefined, nonce: '', error: undefined };
  return {
    subscribed: true,
    ...nothing,
    acked: new Map(),
    uncertain: new Map(),
    wants: () => true,
    unanswered: () => unanswered,
    ...plan,
  };
}

function proxy(
  nodeId: string,
  target: Partial<Snapshot>,
  kinds: Partial<Record<ResourceKind, KindView>>,
  more: Partial<ProxyView> = {},
): ProxyView {
  const empty: Snapshot = { cluster: new Map(), endpoints: new Map(), listener: new Map(), route: new Map() };
  const none = { cluster: view(), endpoints: view(), listener: view(), route: view() };
  return {
    nodeId,
    connectedSinceMs: 0,
    disconnectedAtMs: undefined,
    target: { ...empty, ...target },
    kinds: { ...none, ...kinds },
    ...more,
  };
}

describe('convergence', () => {
  const ROUTE = 'HTTPRoute/default/r';
  const wanted = resourceMap([resource('route', 'outbound', '2', [ROUTE])]);
  const carrying = (
    version: string,
    more: Parameters<typeof view>[0] = {},
    rest: Partial<ProxyView> = {},
    nodeId = 'sidecar/default/a',
  ): ProxyView =>
    proxy(
      nodeId,
      { route: wanted },
      { route: view({ acked: resourceMap([resource('route', 'outbound', version)]), ...more }) },
      rest,
    );

  const CASES: readonly (readonly [what: string, proxies: readonly ProxyView[], acked: number, of: number])[] = [
    ['nobody carries it', [], 0, 0],
    ['a proxy that does not carry it does not count', [proxy('sidecar/default/a', {}, {})], 0, 0],
    ['one has it', [carrying('2')], 1, 1],
    ['one has the version before', [carrying('2'), carrying('1')], 1, 2],
    ['an ingress is not asked about what sidecars carry', [carrying('2', {}, {}, 'ingress/x/y')], 0, 0],
    [
      'one has just gone away: it counts, and has not said yes',
      [carrying('2', {}, { disconnectedAtMs: NOW - 1 })],
      0,
      1,
    ],
    ['a gRPC client has it', [carrying('2', {}, {}, 'grpc/default/a#1')], 1, 1],
    ['a gRPC client that did not ask for it', [carrying('1', { wants: () => false }, {}, 'grpc/default/a#1')], 0, 0],
    [
      'a gRPC client that has just gone away',
      [carrying('2', {}, { disconnectedAtMs: NOW - 1 }, 'grpc/default/a#1')],
      0,
      0,
    ],
    ['one has been gone for a while', [carrying('2', {}, { disconnectedAtMs: NOW - RECONNECT_GRACE_MS })], 0, 0],
  ];
  for (const [what, proxies, acked, of] of CASES) {
    test(`${what}: ${acked} of ${of}`, () => {
      const found = convergenceOf(ROUTE, 'mesh', takeCensus(proxies, NOW));
      assert.deepEqual([found.acked, found.proxies], [acked, of]);
    });
  }

  test('a version that was ACKed before is enough, whatever generation it was made of', () => {
    assert.equal(convergenceOf(ROUTE, 'mesh', takeCensus([carrying('2')], NOW)).acked, 1);
  });

  test('however many proxies there are, each counts as it would alone', () => {
    const [one, other] = ['HTTPRoute/default/one', 'HTTPRoute/default/other'];
    const sets = [
      resourceMap([resource('route', 'outbound', '2', [one, other])]),
      resourceMap([resource('route', 'outbound', '3', [one]), resource('route', 'more', '2', [other])]),
      resourceMap([resource('route', 'outbound', '1')]),
    ];
    const listeners = [resourceMap([]), resourceMap([resource('listener', 'edge', '2', [one])])];
    const acked = fc.constantFrom(...sets, resourceMap([]));
    const anyProxy = fc
      .record({
        nodeId: fc.constantFrom('sidecar/default/a', 'grpc/default/a#1', 'ingress/tutti-system/a'),
        route: fc.constantFrom(...sets),
        listener: fc.constantFrom(...listeners),
        ackedRoutes: acked,
        ackedListeners: fc.constantFrom(...listeners),
        uncertain: acked,
        error: fc.option(fc.constantFrom('bad', 'route "outbound": bad'), { nil: undefined, freq: 4 }),
        disconnectedAtMs: fc.constantFrom(undefined, undefined, NOW - 1, NOW - RECONNECT_GRACE_MS),
      })
      .map((plan) => {
        const { nodeId, route, listener, error, uncertain, disconnectedAtMs } = plan;
        const kinds = {
          route: view({ acked: plan.ackedRoutes, error, uncertain }),
          listener: view({ acked: plan.ackedListeners }),
        };
        return proxy(nodeId, { route, listener }, kinds, { disconnectedAtMs });
      });
    fc.assert(
      fc.property(fc.array(anyProxy, { maxLength: 12 }), fc.constantFrom('mesh', 'ingress'), (proxies, where) => {
        for (const object of [one, other]) {
          const alone = proxies.map((each) => convergenceOf(object, where, takeCensus([each], NOW)));
          const sum = (of: 'proxies' | 'acked'): number => alone.reduce((total, each) => total + each[of], 0);
          const together = convergenceOf(object, where, takeCensus(proxies, NOW));
          const refused = alone.flatMap((each) => each.refused);
          assert.deepEqual(together, { proxies: sum('proxies'), acked: sum('acked'), refused });
        }
      }),
    );
  });

  test('a refusal comes with the proxy’s words, unless they name another resource of the same response', () => {
    const uncertain = resourceMap([resource('route', 'outbound', '2'), resource('route', 'other', '2')]);
    const refused = (error: string) =>
      convergenceOf(ROUTE, 'mesh', takeCensus([carrying('1', { error, uncertain })], NOW)).refused.map(
        (one) => one.error,
      );
    assert.deepEqual(refused('route "outbound": bad'), ['route "outbound": bad']);
    assert.deepEqual(refused('bad'), ['bad']);
    assert.deepEqual(refused('route "other": bad'), []);
  });

  test('the condition counts, and is not true while proxies may still be coming back', () => {
    const at = (startedMs: number) => ({ nowMs: NOW, now: '', startedMs });
    const say = (acked: number, proxies: number, startedMs = LONG_AGO) =>
      convergedCondition({ acked, proxies, refused: [] }, at(startedMs));
    assert.deepEqual([say(1, 2).status, say(1, 2).message], ['False', '1 of 2 proxies']);
    assert.deepEqual([say(2, 2).status, say(2, 2).message], ['True', '2 of 2 proxies']);
    assert.equal(say(0, 0).status, 'True');
    assert.equal(say(0, 0, NOW - 1).status, 'False');
  });
});

describe('unrouted pods', () => {
  const leaving = pod('a', { leaving: true });
  const target = { endpoints: resourceMap([resource('endpoints', 'c', '2')]) };
  const without = resourceMap([resource('endpoints', 'c', '2')]);
  const holding = resourceMap([resource('endpoints', 'c', '1', [carriedPod(leaving)])]);
  const unrouted = (proxies: readonly ProxyView[], pods = [leaving], startedMs = LONG_AGO): number =>
    unroutedPods(pods, proxies, NOW, startedMs).length;
  const sidecar = (endpoints: Parameters<typeof view>[0], more: Partial<ProxyView> = {}) =>
    proxy('sidecar/default/x', target, { endpoints: view(endpoints) }, more);
  const grpc = (endpoints: Parameters<typeof view>[0]) =>
    proxy('grpc/default/x#1', target, { endpoints: view(endpoints) });

  const CASES: readonly (readonly [what: string, proxies: readonly ProxyView[], unrouted: boolean])[] = [
    ['no proxy knew it', [], true],
    ['every proxy has said yes to endpoints without it', [sidecar({ acked: without })], true],
    ['one still holds it', [sidecar({ acked: without }), sidecar({ acked: holding })], false],
    ['one has been told without it, and has not answered', [sidecar({ acked: holding, uncertain: without })], false],
    ['one has been told of it, and has not answered', [sidecar({ acked: without, uncertain: holding })], false],
    ['one has just connected and not asked for endpoints', [sidecar({ subscribed: false })], false],
    ['one has asked and not said yes', [sidecar({ unanswered: ['c'] })], false],
    ['one asks for what does not exist', [sidecar({ unanswered: ['gone'] })], true],
    ['a gRPC client has not asked for endpoints', [grpc({ subscribed: false })], true],
    ['a gRPC client still holds it', [grpc({ acked: holding })], false],
    ['a gRPC client has asked again and not said yes', [grpc({ unanswered: ['c'] })], false],
    ['one that held it went away a moment ago', [sidecar({ acked: holding }, { disconnectedAtMs: NOW - 1 })], false],
    [
      'one that held it has been gone for a while',
      [sidecar({ acked: holding }, { disconnectedAtMs: NOW - RECONNECT_GRACE_MS })],
      true,
    ],
  ];
  for (const [what, proxies, expected] of CASES) {
    test(`${what}: ${expected ? 'unrouted' : 'not yet'}`, () => assert.equal(unrouted(proxies), expected ? 1 : 0));
  }

  test('a pod that stays is never unrouted, one that is already is not told again', () => {
    const told = {
      ...leaving,
      status: { ...leaving.status, conditions: [{ type: UNROUTED, status: 'True' as const }] },
    };
    assert.equal(unrouted([], [pod('b'), told]), 0);
  });

  test('a control plane that has just begun waits for proxies that another run may have told', () => {
    assert.equal(unrouted([], [leaving], NOW - 1), 0);
  });
});
