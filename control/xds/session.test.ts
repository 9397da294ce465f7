import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ORDER_LIMIT_MS } from './ordering.ts';
import { RESOURCE_KINDS, type Resource, type ResourceKind, resourceMap, type Snapshot } from './resource.ts';
import { Session, type SessionResponse } from './session.ts';

type Plan = Partial<Readonly<Record<ResourceKind, Readonly<Record<string, string>>>>>;

/** A snapshot by name and version; content does not matter to a session. */
function snapshot(plan: Plan): Snapshot {
  const map = (kind: ResourceKind) =>
    resourceMap(
      Object.entries(plan[kind] ?? {}).map(
        ([name, version]): Resource => ({ kind, name, version, value: new Uint8Array(), carries: [] }),
      ),
    );
  return { cluster: map('cluster'), endpoints: map('endpoints'), listener: map('listener'), route: map('route') };
}

/** A proxy's end: what it was told, with the means to answer. */
class Peer {
  readonly session = new Session();
  readonly log: string[] = [];
  readonly last = new Map<ResourceKind, SessionResponse>();
  nowMs = 0;

  set(plan: Plan): readonly string[] {
    this.session.setSnapshot(snapshot(plan));
    return this.take();
  }

  subscribe(kind: ResourceKind, names: readonly string[] = []): readonly string[] {
    return this.request(kind, names, this.last.get(kind)?.nonce ?? '');
  }

  request(kind: ResourceKind, names: readonly string[], nonce: string, error?: string): readonly string[] {
    this.session.request({ variant: 'sotw', kind, names, nonce, error });
    return this.take();
  }

  take(): readonly string[] {
    const { responses } = this.session.take(this.nowMs);
    return responses.map((response) => {
      this.last.set(response.kind, response);
      return `${response.kind}: ${response.resources
        .map(({ name, version }) => `${name}@${version}`)
        .sort()
        .join(' ')}`;
    });
  }
}

const SHOP: Plan = {
  cluster: { a: '1', b: '1' },
  endpoints: { a: '1', b: '1' },
  listener: { l: '1' },
  route: { r: '1' },
};

/** A proxy that has everything and has ACKed it. */
function settled(plan: Plan = SHOP): Peer {
  const peer = new Peer();
  peer.set(plan);
  peer.subscribe('cluster');
  peer.request('cluster', [], peer.last.get('cluster')?.nonce ?? '');
  const names = Object.keys(plan.endpoints ?? {});
  peer.subscribe('endpoints', names);
  peer.request('endpoints', names, peer.last.get('endpoints')?.nonce ?? '');
  peer.subscribe('listener');
  peer.request('listener', [], peer.last.get('listener')?.nonce ?? '');
  peer.subscribe('route', Object.keys(plan.route ?? {}));
  peer.request('route', Object.keys(plan.route ?? {}), peer.last.get('route')?.nonce ?? '');
  return peer;
}

function ack(peer: Peer, kind: ResourceKind, names: readonly string[] = []): readonly string[] {
  return peer.request(kind, names, peer.last.get(kind)?.nonce ?? '');
}

describe('subscriptions', () => {
  test('an empty first request for clusters means all of them, in one response', () => {
    const peer = new Peer();
    peer.set(SHOP);
    assert.deepEqual(peer.subscribe('cluster'), ['cluster: a@1 b@1']);
  });

  test('an ACK is answered with silence', () => assert.deepEqual(ack(settled(), 'cluster'), []));

  test('once a name was given, an empty list means none: [] all, [*,a] all, [a] one, [] nothing', () => {
    const peer = new Peer();
    peer.set({ cluster: { a: '1', b: '1' } });
    assert.deepEqual(peer.subscribe('cluster', []), ['cluster: a@1 b@1']);
    assert.deepEqual(ack(peer, 'cluster', ['*', 'a']), ['cluster: a@1 b@1']);
    assert.deepEqual(ack(peer, 'cluster', ['a']), []);
    assert.deepEqual(peer.set({ cluster: { a: '1', b: '2' } }), []);
    ack(peer, 'cluster', []);
    assert.deepEqual(peer.set({ cluster: { a: '3', b: '3' } }), []);
  });

  test('endpoints and routes have no wildcard', () => {
    const peer = new Peer();
    peer.set(SHOP);
    assert.deepEqual(peer.subscribe('endpoints', []), []);
    assert.deepEqual(peer.subscribe('route', []), []);
  });

  test('of endpoints and routes only what changed is sent; of clusters and listeners all', () => {
    const peer = settled();
    assert.deepEqual(peer.set({ ...SHOP, endpoints: { a: '2', b: '1' } }), ['endpoints: a@2']);
    const other = settled();
    assert.deepEqual(other.set({ ...SHOP, cluster: { a: '2', b: '1' } }), ['cluster: a@2 b@1']);
  });

  test('a name that is asked for anew is sent anew, even if it was sent before and did not change', () => {
    const peer = settled();
    assert.deepEqual(ack(peer, 'endpoints', ['a']), []);
    assert.deepEqual(ack(peer, 'endpoints', ['a', 'b']), ['endpoints: b@1']);
  });

  test('a name that does not exist is remembered, and sent when it springs into being', () => {
    const peer = new Peer();
    peer.set(SHOP);
    peer.subscribe('cluster');
    ack(peer, 'cluster');
    assert.deepEqual(peer.subscribe('route', ['late']), []);
    assert.deepEqual(peer.set({ ...SHOP, route: { r: '1', late: '1' } }), ['route: late@1']);
  });

  test('nothing is sent before the proxy asks, nor before there is a snapshot', () => {
    const peer = new Peer();
    assert.deepEqual(peer.subscribe('cluster'), []);
    assert.deepEqual(peer.set(SHOP), ['cluster: a@1 b@1']);
  });

  test('a response that waits is dropped when the proxy unsubscribes meanwhile', () => {
    const peer = settled();
    peer.set({ ...SHOP, endpoints: { a: '2', b: '1' } });
    peer.set({ ...SHOP, endpoints: { a: '2', b: '2' } });
    assert.deepEqual(ack(peer, 'endpoints', ['a']), []);
  });
});

describe('answers', () => {
  test('a NACK is known by its error, keeps the accepted version, and is not answered with the same content', () => {
    const peer = settled();
    const before = peer.session.channel('route').ackedVersion;
    peer.set({ ...SHOP, route: { r: '2' } });
    assert.deepEqual(peer.request('route', ['r'], peer.last.get('route')?.nonce ?? '', 'no such thing'), []);
    const channel = peer.session.channel('route');
    assert.deepEqual(
      [channel.error, channel.ackedVersion, channel.acked.get('r')?.version],
      ['no such thing', before, '1'],
    );
    assert.equal(channel.uncertain.get('r')?.version, '2');
    assert.deepEqual(peer.set({ ...SHOP, route: { r: '3' } }), ['route: r@3']);
  });

  test('an ACK after a NACK says that it works after all', () => {
    const peer = settled();
    peer.set({ ...SHOP, listener: { l: '2' } });
    const nonce = peer.last.get('listener')?.nonce ?? '';
    peer.request('listener', [], nonce, 'address in use');
    peer.request('listener', [], nonce);
    const channel = peer.session.channel('listener');
    assert.deepEqual([channel.error, channel.acked.get('l')?.version], [undefined, '2']);
  });

  test('a stale nonce answers nothing, but what it asks for counts', () => {
    const peer = settled();
    const old = peer.last.get('endpoints')?.nonce ?? '';
    peer.set({ ...SHOP, endpoints: { a: '2', b: '1' } });
    assert.deepEqual(peer.request('endpoints', ['a'], old), []);
    assert.equal(peer.session.channel('endpoints').awaiting, true);
    assert.equal(peer.session.channel('endpoints').wants('b'), false);
  });

  test('one response of a type is outstanding; the newest content follows its answer', () => {
    const peer = settled();
    assert.deepEqual(peer.set({ ...SHOP, endpoints: { a: '2', b: '1' } }), ['endpoints: a@2']);
    assert.deepEqual(peer.set({ ...SHOP, endpoints: { a: '3', b: '1' } }), []);
    assert.deepEqual(peer.set({ ...SHOP, endpoints: { a: '4', b: '1' } }), []);
    assert.deepEqual(ack(peer, 'endpoints', ['a', 'b']), ['endpoints: a@4']);
  });

  test('a nonce of another server on a first request is no reason to be silent', () => {
    const peer = new Peer();
    peer.set(SHOP);
    assert.deepEqual(peer.request('cluster', [], 'from-elsewhere'), ['cluster: a@1 b@1']);
  });
});

describe('make before break', () => {
  test('clusters, endpoints, listeners, routes, and removed clusters last, each after the ACK of what came before', () => {
    const peer = settled();
    const next: Plan = {
      cluster: { a: '1', c: '1' },
      endpoints: { a: '1', c: '1' },
      listener: { l: '2' },
      route: { r: '2' },
    };
    assert.deepEqual(peer.set(next), ['cluster: a@1 b@1 c@1']);
    assert.deepEqual(ack(peer, 'cluster'), []);
    assert.deepEqual(peer.subscribe('endpoints', ['a', 'b', 'c']), ['endpoints: c@1']);
    assert.deepEqual(ack(peer, 'endpoints', ['a', 'b', 'c']), ['listener: l@2']);
    assert.deepEqual(ack(peer, 'listener'), ['route: r@2']);
    assert.deepEqual(ack(peer, 'route', ['r']), ['cluster: a@1 c@1']);
    assert.deepEqual(ack(peer, 'cluster'), []);
  });

  test('endpoints of a changed cluster are said again after it, because Envoy waits for them', () => {
    const peer = settled();
    peer.set({ ...SHOP, cluster: { a: '2', b: '1' } });
    assert.deepEqual(ack(peer, 'cluster'), ['endpoints: a@1']);
  });

  test('a NACK is an answer: what follows is not held back by it', () => {
    const peer = settled();
    peer.set({ ...SHOP, cluster: { a: '2', b: '1' }, route: { r: '2' } });
    assert.deepEqual(peer.request('cluster', [], peer.last.get('cluster')?.nonce ?? '', 'bad'), ['endpoints: a@1']);
    assert.deepEqual(ack(peer, 'endpoints', ['a', 'b']), ['route: r@2']);
  });

  test('a proxy that does not answer is not kept from its configuration for ever', () => {
    const peer = settled();
    assert.deepEqual(peer.set({ ...SHOP, cluster: { a: '1', b: '1', c: '1' }, route: { r: '2' } }), [
      'cluster: a@1 b@1 c@1',
    ]);
    const { wakeAtMs } = peer.session.take(0);
    assert.equal(wakeAtMs, ORDER_LIMIT_MS);
    peer.nowMs = ORDER_LIMIT_MS;
    assert.deepEqual(peer.take(), ['route: r@2']);
  });

  test('a route waits for the endpoints that it came with, not for those that have changed since', () => {
    const peer = settled();
    assert.deepEqual(peer.set({ ...SHOP, endpoints: { a: '2', b: '1' }, route: { r: '2' } }), ['endpoints: a@2']);
    assert.deepEqual(peer.set({ ...SHOP, endpoints: { a: '3', b: '1' }, route: { r: '2' } }), []);
    assert.deepEqual(ack(peer, 'endpoints', ['a', 'b']), ['endpoints: a@3', 'route: r@2']);
  });

  test('however often endpoints change, a route comes only after those that it came with were answered, and it comes', () => {
    const step = fc.record({ route: fc.boolean(), answers: fc.nat({ max: 2 }) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
        const peer = settled();
        const open: string[] = [];
        // Each snapshot has endpoints of its own number; a route has the number of the snapshot that it came with.
        const answered = { endpoints: 1, route: 1 };
        let wanted = 1;
        const told = (lines: readonly string[]): void => {
          for (const [kind = '', version = ''] of lines.map((line) => line.split(/: .@| /))) {
            if (kind === 'route') assert.ok(Number(version) <= answered.endpoints, `route ${version} came too early`);
            if (kind === 'route') assert.ok(Number(version) > answered.route, `route ${version} came late`);
            open.push(`${kind} ${version}`);
          }
        };
        const answer = (): void => {
          const [kind = '', version = ''] = (open.shift() ?? '').split(' ');
          if (kind === '') return;
          answered[kind as 'endpoints' | 'route'] = Number(version);
          told(ack(peer, kind as ResourceKind, kind === 'route' ? ['r'] : ['a', 'b']));
        };
        for (const [at, { route, answers }] of steps.entries()) {
          const number = at + 2;
          if (route) wanted = number;
          const endpoints = { a: String(number), b: '1' };
          told(peer.set({ ...SHOP, endpoints, route: { r: String(wanted) } }));
          for (let many = 0; many < answers; many++) answer();
        }
        for (let many = 0; many < 6; many++) answer();
        assert.deepEqual([answered.route, open.length], [wanted, 0]);
      }),
    );
  });

  test('a route that came because order gave way is not taken back when the proxy answers after all', () => {
    const peer = settled();
    assert.deepEqual(peer.set({ ...SHOP, endpoints: { a: '2', b: '1' } }), ['endpoints: a@2']);
    assert.deepEqual(peer.set({ ...SHOP, endpoints: { a: '3', b: '1' }, route: { r: '2' } }), []);
    peer.nowMs = ORDER_LIMIT_MS;
    assert.deepEqual(peer.take(), ['route: r@2']);
    assert.deepEqual(ack(peer, 'route', ['r']), []);
    assert.deepEqual(ack(peer, 'endpoints', ['a', 'b']), ['endpoints: a@3']);
    assert.deepEqual(ack(peer, 'endpoints', ['a', 'b']), []);
  });

  test('a proxy that asks for routes before it has answered its endpoints is told them forwards only', () => {
    const peer = new Peer();
    peer.set(SHOP);
    peer.subscribe('cluster');
    ack(peer, 'cluster');
    assert.deepEqual(peer.subscribe('endpoints', ['a', 'b']), ['endpoints: a@1 b@1']);
    peer.set({ ...SHOP, endpoints: { a: '2', b: '1' }, route: { r: '2' } });
    const told = [
      ...peer.subscribe('route', ['r']),
      ...ack(peer, 'endpoints', ['a', 'b']),
      ...ack(peer, 'route', ['r']),
      ...ack(peer, 'endpoints', ['a', 'b']),
      ...ack(peer, 'route', ['r']),
    ];
    assert.deepEqual(told, ['route: r@1', 'endpoints: a@2', 'route: r@2']);
  });

  test('newly asked names are answered at once, whatever else is under way', () => {
    const peer = settled();
    peer.set({ ...SHOP, listener: { l: '1', m: '1' }, route: { r: '1', s: '1' } });
    assert.deepEqual(peer.subscribe('route', ['r', 's']), ['route: s@1']);
  });

  test('a route never points to a cluster that its proxy was not told of, and all comes to rest, for any sequence of snapshots', () => {
    const plan = fc.record({
      cluster: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2')),
      route: fc.constantFrom('a', 'b', 'c'),
    });
    fc.assert(
      fc.property(fc.array(plan, { minLength: 1, maxLength: 8 }), fc.infiniteStream(fc.boolean()), (plans, eager) => {
        const peer = new Peer();
        const told = { clusters: new Set<string>(), route: '' };
        const open: SessionResponse[] = [];
        const names = new Map<ResourceKind, readonly string[]>([
          ['endpoints', []],
          ['route', ['r']],
        ]);
        const push = (responses: readonly SessionResponse[]): void => void open.push(...responses);
        const answer = (): void => {
          const response = open.shift();
          if (response === undefined) return;
          const { kind, nonce, resources } = response;
          if (kind === 'cluster') {
            told.clusters = new Set(resources.map(({ name }) => name));
            if (told.route !== '') assert.ok(told.clusters.has(told.route), 'a cluster went before its route');
            names.set('endpoints', [...told.clusters]);
            peer.session.request({
              variant: 'sotw',
              kind: 'endpoints',
              names: [...told.clusters],
              nonce: 'x',
              error: undefined,
            });
          }
          if (kind === 'route') {
            told.route = resources[0]?.version ?? '';
            assert.ok(told.clusters.has(told.route), 'a route came before its cluster');
          }
          peer.session.request({ variant: 'sotw', kind, names: names.get(kind) ?? [], nonce, error: undefined });
          push(peer.session.take(0).responses);
        };
        const snapshotOf = ({ cluster, route }: (typeof plans)[number]): Snapshot =>
          // The version of the route names the cluster that it points to; that one always exists.
          snapshot({
            cluster: { ...cluster, [route]: '1' },
            endpoints: { ...cluster, [route]: '1' },
            listener: { l: '1' },
            route: { r: route },
          });
        peer.session.setSnapshot(snapshotOf(plans[0] ?? { cluster: {}, route: 'a' }));
        peer.session.request({ variant: 'sotw', kind: 'cluster', names: [], nonce: '', error: undefined });
        push(peer.session.take(0).responses);
        for (let at = 0; at < 10; at++) answer();
        peer.session.request({ variant: 'sotw', kind: 'route', names: ['r'], nonce: '', error: undefined });
        push(peer.session.take(0).responses);
        for (const next of plans) {
          peer.session.setSnapshot(snapshotOf(next));
          push(peer.session.take(0).responses);
          while (eager.next().value === true) answer();
        }
        for (let at = 0; at < 100 && open.length > 0; at++) answer();
        assert.equal(open.length, 0);
        const last = plans.at(-1) ?? { cluster: {}, route: '' };
        assert.equal(told.route, last.route);
        assert.deepEqual([...told.clusters].sort(), Object.keys({ ...last.cluster, [last.route]: '1' }).sort());
      }),
      { numRuns: 300 },
    );
  });
});

test('versions follow the content alone', () => {
  const first = settled();
  const second = settled();
  for (const kind of RESOURCE_KINDS) {
    assert.equal(first.session.channel(kind).sentVersion, second.session.channel(kind).sentVersion);
    assert.equal(first.session.channel(kind).ackedVersion, first.session.channel(kind).sentVersion);
  }
});
