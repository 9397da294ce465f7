import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LayeredMap } from './layered-map.ts';
import { type Resource, type ResourceMap, resourceMap, versionOf } from './resource.ts';
import { carriersIn, differenceOf } from './resource-difference.ts';

const resource = fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), version: fc.constantFrom('1', '2') }).map(
  ({ name, version }): Resource => ({
    kind: 'route',
    name,
    version,
    value: new Uint8Array(),
    carries: [`of ${version}`],
  }),
);
const set = fc.array(resource, { maxLength: 4 }).map(resourceMap);

/** The same content in one layer. */
function flat(map: ResourceMap): ResourceMap {
  return new Map(map);
}

test('what is shared and what is own read as one map, in which the own counts', () => {
  fc.assert(
    fc.property(set, set, (shared, own) => {
      const layered = new LayeredMap(shared, own);
      const expected = new Map([...shared, ...own]);
      const sorted = (entries: Iterable<readonly [string, Resource]>) =>
        [...entries].toSorted(([left], [right]) => (left < right ? -1 : 1));
      assert.deepEqual(sorted(layered), sorted(expected));
      assert.deepEqual(
        [...layered.keys()],
        [...layered.entries()].map(([name]) => name),
      );
      assert.deepEqual(
        [...layered.values()],
        [...layered.entries()].map(([, one]) => one),
      );
      assert.equal(layered.size, expected.size);
      const visited = new Map<string, Resource>();
      layered.forEach((one, name) => visited.set(name, one));
      assert.deepEqual(visited, flat(layered));
      for (const name of ['a', 'b', 'c', 'd']) {
        assert.deepEqual([layered.get(name), layered.has(name)], [expected.get(name), expected.has(name)]);
      }
    }),
  );
});

test('what differs between two of them, and who carries an object, is as if they had one layer', () => {
  fc.assert(
    fc.property(set, set, set, set, fc.boolean(), (before, after, own, other, same) => {
      const pair = [new LayeredMap(before, own), new LayeredMap(after, same ? own : other)] as const;
      const names = ({ changed, gone }: ReturnType<typeof differenceOf>) => ({
        changed: changed.map(({ name, version }) => `${name} ${version}`).sort(),
        gone: [...gone].sort(),
      });
      assert.deepEqual(names(differenceOf(...pair)), names(differenceOf(flat(pair[0]), flat(pair[1]))));
      const carriers = (map: ResourceMap) => (carriersIn(map).byObject.get('of 1') ?? []).map(({ name }) => name);
      assert.deepEqual(carriers(pair[1]).sort(), carriers(flat(pair[1])).sort());
    }),
  );
});

test('what proxies share is compared once for all of them', () => {
  const [before, after] = [
    resourceMap([{ kind: 'route', name: 'outbound', version: '1', value: new Uint8Array(), carries: [] }]),
    resourceMap([{ kind: 'route', name: 'outbound', version: '2', value: new Uint8Array(), carries: [] }]),
  ];
  const found = [1, 2].map((port) => {
    const own = resourceMap([
      { kind: 'route', name: `inbound/${port}`, version: '1', value: new Uint8Array(), carries: [] },
    ]);
    return differenceOf(new LayeredMap(before, own), new LayeredMap(after, own)).changed;
  });
  assert.equal(found[0], found[1]);
});

test('the version changes with either layer, and is the same for the same content', () => {
  const one = (version: string): ResourceMap =>
    resourceMap([{ kind: 'route', name: 'r', version, value: new Uint8Array(), carries: [] }]);
  const versions = [
    new LayeredMap(one('1'), one('1')),
    new LayeredMap(one('2'), one('1')),
    new LayeredMap(one('1'), one('2')),
  ].map(versionOf);
  assert.equal(new Set(versions).size, 3);
  assert.equal(versionOf(new LayeredMap(one('1'), one('1'))), versions[0]);
});
