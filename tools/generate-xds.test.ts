import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { generateXds } from './generate-xds.ts';

interface Codec {
  encode(message: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): Record<string, unknown>;
  getTypeUrl(): string;
}

describe('generated xDS messages', () => {
  let root = '';
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'tutti-xds-'));
    symlinkSync(join(import.meta.dirname, '..', 'node_modules'), join(root, 'node_modules'));
  });
  after(() => rmSync(root, { recursive: true }));

  test('are written whole, the same each time, and not again while nothing changed', async () => {
    await generateXds(root);
    assert.deepEqual(readdirSync(root).sort(), ['node_modules', 'xds']);
    const path = join(root, 'xds', 'messages.js');
    const first = readFileSync(path, 'utf8');
    const { ino } = statSync(path);
    await generateXds(root);
    assert.equal(statSync(path).ino, ino);

    writeFileSync(path, 'half');
    rmSync(join(root, 'xds', 'services.d.ts'));
    await generateXds(root);
    assert.equal(readFileSync(path, 'utf8'), first);
  });

  test('keep what is sent, skip fields that are not listed, and give 64 bits as numbers', async () => {
    await generateXds(root);
    const { href } = pathToFileURL(join(root, 'xds', 'messages.js'));
    const { Duration, StringMatcher, Listener } = (await import(href)) as Record<string, Codec>;
    assert.ok(Duration !== undefined && StringMatcher !== undefined && Listener !== undefined);
    assert.equal(Listener.getTypeUrl(), 'type.googleapis.com/envoy.config.listener.v3.Listener');
    assert.equal(Duration.decode(Duration.encode({ seconds: 15 }).finish())['seconds'], 15);
    assert.equal(Duration.decode(new Uint8Array())['seconds'], 0);
    // Also where the package "long" is installed: a missing field must not be one of its objects.
    assert.doesNotMatch(readFileSync(join(root, 'xds', 'messages.js'), 'utf8'), /util\.Long/);
    assert.equal(StringMatcher.decode(StringMatcher.encode({ exact: '' }).finish())['exact'], '');
    assert.equal(StringMatcher.decode(new Uint8Array())['exact'], null);
    // Field 1, then a varint for field 18, which is not kept.
    assert.equal(Listener.decode(new Uint8Array([10, 1, 97, 0x90, 0x01, 1]))['name'], 'a');
    assert.throws(() => Listener.decode(new Uint8Array([10, 200, 97])));
  });
});
