import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { seededRandom } from '../../kit/random.ts';
import { forward, NO_EDITS, route, routeTable } from '../test-support/tables.ts';
import { CompiledRouteTable } from './compiled-route-table.ts';
import { compileEdits } from './header-edits.ts';
import { compileMatch, type RoutedRequest } from './match.ts';
import { DomainIndex } from './match-domain.ts';
import { redirectLocation } from './redirect.ts';
import { rewritePath } from './rewrite.ts';
import type { PathMatch, RouteMatch } from './route-table.ts';
import { Split } from './split.ts';

function request(target: string, method = 'GET', headers: Readonly<Record<string, string>> = {}): RoutedRequest {
  const [path = '', query = ''] = target.split('?');
  return { method, path, query, header: (name) => headers[name] };
}

test("domains are matched in Envoy's order", () => {
  const index = new DomainIndex<string>();
  for (const domain of ['*', 'web.*', 'w*', '*.example', '*.shop.example', 'web.example', 'Web:8080'])
    index.add(domain, domain);
  const cases = [
    ['web.example', 'web.example'],
    ['a.shop.example', '*.shop.example'],
    ['b.example', '*.example'],
    ['web.other', 'web.*'],
    ['wide', 'w*'],
    ['web:8080', 'Web:8080'],
    ['else', '*'],
    ['', '*'],
    ['.example', '*'],
    // The listener's own port is overlooked, but only when nothing but `*` takes the authority as it came.
    ['web.example:80', 'web.*'],
    ['b.example:80', '*.example'],
    ['b.example:81', '*'],
  ] as const;
  for (const [authority, wanted] of cases) assert.equal(index.find(authority, 80), wanted, authority);
});

test('paths match exactly, by whole elements, or by RE2', () => {
  const cases: readonly (readonly [PathMatch, readonly string[], readonly string[]])[] = [
    [{ kind: 'exact', value: '/a' }, ['/a'], ['/a/', '/A', '/ab']],
    [{ kind: 'prefix', value: '/a' }, ['/a', '/a/', '/a/b'], ['/ab', '/', '/A']],
    [{ kind: 'prefix', value: '/a/' }, ['/a', '/a/', '/a/b'], ['/ab']],
    [{ kind: 'prefix', value: '/' }, ['/', '/x'], []],
    [{ kind: 'regex', value: '/v[12]/.*' }, ['/v1/x', '/v2/'], ['/v3/x', '/x/v1/', '/v1']],
    [{ kind: 'any' }, ['/', '*'], []],
  ];
  for (const [path, yes, no] of cases) {
    const matches = compileMatch({ path, method: undefined, headers: [], query: [] });
    for (const target of yes) assert.ok(matches(request(target)), `${JSON.stringify(path)} takes ${target}`);
    for (const target of no) assert.ok(!matches(request(target)), `${JSON.stringify(path)} leaves ${target}`);
  }
});

test('every condition of a match must hold', () => {
  const match: RouteMatch = {
    path: { kind: 'prefix', value: '/p' },
    method: 'POST',
    headers: [
      { kind: 'exact', name: 'x-tier', value: 'gold' },
      { kind: 'regex', name: 'x-id', value: '[0-9]+' },
    ],
    query: [{ kind: 'exact', name: 'q', value: 'a b' }],
  };
  const matches = compileMatch(match);
  const headers = { 'x-tier': 'gold', 'x-id': '42' };
  assert.ok(matches(request('/p/x?z=1&q=a%20b', 'POST', headers)));
  assert.ok(matches(request('/p?q=a+b', 'POST', headers)));
  assert.ok(!matches(request('/p?q=a%20b', 'GET', headers)));
  assert.ok(!matches(request('/p?q=b', 'POST', headers)));
  assert.ok(!matches(request('/p?q=x&q=a%20b', 'POST', headers)));
  assert.ok(!matches(request('/p?q=a%20b', 'POST', { ...headers, 'x-id': '4x' })));
  assert.ok(!matches(request('/p?q=a%20b', 'POST', { 'x-id': '42' })));
});

test('a table whose pattern is not RE2 is refused as a whole', () => {
  const bad = routeTable('t', [route(forward('a'), { path: { kind: 'regex', value: '(?=x)' } })]);
  assert.throws(() => new CompiledRouteTable(bad, undefined, seededRandom(1)));
});

test('over 10,000 requests every share is within a point of its weight, also across a change of the table', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 100 }), { minLength: 1, maxLength: 5 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (weights, start) => {
        const sum = weights.reduce((total, weight) => total + weight, 0);
        const split = new Split(start % 1);
        const counts = weights.map(() => 0);
        for (let turn = 0; turn < 10_000; turn++) {
          const index = split.next(weights, sum);
          if (sum === 0) assert.equal(index, -1);
          else counts[index] = (counts[index] ?? 0) + 1;
        }
        weights.forEach((weight, index) => {
          if (sum > 0) assert.ok(Math.abs((counts[index] ?? 0) / 10_000 - weight / sum) < 0.01);
          if (weight === 0) assert.equal(counts[index], 0);
        });
      },
    ),
    { numRuns: 50 },
  );
});

test("a route's split goes on in the next table", () => {
  const table = (weight: number) =>
    routeTable('t', [
      route(
        forward([
          ['a', 100 - weight],
          ['b', weight],
        ]),
      ),
    ]);
  const first = new CompiledRouteTable(table(10), undefined, seededRandom(1));
  const second = new CompiledRouteTable(table(50), first, seededRandom(2));
  assert.equal(second.find(request('/'), 'x', 80)?.split, first.find(request('/'), 'x', 80)?.split);
});

test('paths are rewritten as the Gateway API says', () => {
  const prefix = (value: string): PathMatch => ({ kind: 'prefix', value });
  const cases = [
    ['/foo/bar', '/foo', '/xyz', '/xyz/bar'],
    ['/foo/bar', '/foo/', '/xyz/', '/xyz/bar'],
    ['/foo', '/foo', '/xyz', '/xyz'],
    ['/foo/', '/foo', '/xyz', '/xyz/'],
    ['/foo/bar', '/foo', '/', '/bar'],
    ['/foo', '/foo', '/', '/'],
    ['/bar', '/', '/xyz', '/xyz/bar'],
  ] as const;
  for (const [path, matched, value, wanted] of cases) {
    assert.equal(
      rewritePath(path, prefix(matched), { kind: 'prefix', value }),
      wanted,
      `${path}, ${matched} to ${value}`,
    );
  }
  assert.equal(rewritePath('/a/b', prefix('/a'), { kind: 'full', value: '/z' }), '/z');
});

test('a redirect keeps what it does not name', () => {
  const from = {
    scheme: 'http',
    authority: 'shop.example:8080',
    path: '/a/b',
    target: '/a/b?q=1',
    listenerPort: 8080,
  } as const;
  const any: PathMatch = { kind: 'prefix', value: '/a' };
  const base = {
    kind: 'redirect',
    scheme: undefined,
    host: undefined,
    port: undefined,
    rewrite: undefined,
    status: 302,
  } as const;
  assert.equal(redirectLocation(base, any, from), 'http://shop.example:8080/a/b?q=1');
  assert.equal(redirectLocation({ ...base, scheme: 'https' }, any, from), 'https://shop.example/a/b?q=1');
  assert.equal(redirectLocation({ ...base, host: 'other', port: 80 }, any, from), 'http://other/a/b?q=1');
  assert.equal(
    redirectLocation({ ...base, rewrite: { kind: 'prefix', value: '/z' } }, any, { ...from, listenerPort: 80 }),
    'http://shop.example/z/b?q=1',
  );
});

test('edits cannot break a message, and nothing to do is nothing', () => {
  assert.equal(compileEdits(NO_EDITS), undefined);
  const edits = compileEdits({
    set: [
      ['X-A', '1'],
      ['Host', 'evil'],
      ['x-b', 'a\r\nx-c: injected'],
    ],
    add: [
      ['Content-Length', '5'],
      ['bad name', 'x'],
    ],
    remove: ['X-Gone', 'transfer-encoding'],
  });
  assert.equal(edits?.adds, 'X-A: 1\r\n');
  assert.deepEqual([...(edits?.removes ?? [])].sort(), ['x-a', 'x-b', 'x-gone']);
});
