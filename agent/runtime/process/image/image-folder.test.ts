import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { commandLine } from './command-line.ts';
import { findImage } from './image-folder.ts';
import { parseImageName } from './image-name.ts';

test('a tag folder comes before the folder of the name, and the first root before the second', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'images-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const [first, second] = [join(root, 'first'), join(root, 'second')];
  for (const [folder, cmd] of [
    [join(first, 'shop/catalog/v2'), 'v2'],
    [join(first, 'shop/cart'), 'cart'],
    [join(second, 'shop/cart/v1'), 'other'],
    [join(second, 'shop/reviews/latest'), 'latest'],
  ] as const) {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'Dockerfile'), `FROM scratch\nCMD ["${cmd}"]\n`);
  }
  const found = async (image: string): Promise<readonly string[]> => {
    const lookup = await findImage(image, [first, second]);
    if (lookup.type === 'found') return lookup.image.config.cmd;
    return lookup.type === 'missing' ? lookup.lookedAt : [lookup.type];
  };
  assert.deepEqual(await found('shop/catalog:v2'), ['v2']);
  assert.deepEqual(await found('docker.io/shop/catalog:v2'), ['v2']);
  assert.deepEqual(await found('shop/cart:v1'), ['cart']);
  assert.deepEqual(await found('shop/reviews'), ['latest']);
  assert.deepEqual(await found('shop/catalog:v3'), [
    join(first, 'shop/catalog/v3'),
    join(first, 'shop/catalog'),
    join(second, 'shop/catalog/v3'),
    join(second, 'shop/catalog'),
  ]);
  assert.deepEqual(await found('../../etc'), ['invalid']);
});

const NAMES: readonly (readonly [image: string, expected: ReturnType<typeof parseImageName>])[] = [
  ['nginx', { path: 'nginx', tag: undefined }],
  ['shop/catalog:v2', { path: 'shop/catalog', tag: 'v2' }],
  ['localhost:5000/shop/catalog', { path: 'shop/catalog', tag: undefined }],
  ['ghcr.io/a/b:1.0@sha256:0123456789abcdef0123456789abcdef', { path: 'a/b', tag: '1.0' }],
  ['', undefined],
  ['Shop', undefined],
  ['a/../b', undefined],
  ['a:', undefined],
  ['a@sha256:xyz', undefined],
];

for (const [image, expected] of NAMES) {
  test(`the image name ${JSON.stringify(image)} is ${expected === undefined ? 'refused' : 'read'}`, () => {
    assert.deepEqual(parseImageName(image), expected);
  });
}

// The table of kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container (v1.18).
const COMMANDS: readonly (readonly [command: string[], args: string[], runs: string[]])[] = [
  [[], [], ['/ep-1', 'foo', 'bar']],
  [['/ep-2'], [], ['/ep-2']],
  [[], ['zoo', 'boo'], ['/ep-1', 'zoo', 'boo']],
  [['/ep-2'], ['zoo', 'boo'], ['/ep-2', 'zoo', 'boo']],
];

for (const [command, args, runs] of COMMANDS) {
  test(`command [${command.join(' ')}] and args [${args.join(' ')}] run [${runs.join(' ')}]`, () => {
    assert.deepEqual(commandLine({ entrypoint: ['/ep-1'], cmd: ['foo', 'bar'], command, args }), runs);
  });
}
