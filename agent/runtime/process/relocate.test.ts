import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { relocate } from './relocate.ts';

const PATHS = [
  { from: '/etc/app', to: '/P/etc/app' },
  { from: '/etc/app/tls', to: '/P/tls' },
  { from: '/data', to: '/P/data' },
];

const CASES: readonly (readonly [text: string, expected: string])[] = [
  ['/etc/app', '/P/etc/app'],
  ['/etc/app/config.json', '/P/etc/app/config.json'],
  ['/etc/app/tls/key.pem', '/P/tls/key.pem'],
  ['--config=/etc/app/x --data /data', '--config=/P/etc/app/x --data /P/data'],
  ['/bin:/data:/etc/app', '/bin:/P/data:/P/etc/app'],
  ['cat "/data/x" </data/y', 'cat "/P/data/x" </P/data/y'],
  ['/database', '/database'],
  ['http://host/data', 'http://host/data'],
  ['/srv/data', '/srv/data'],
  ['', ''],
];

for (const [text, expected] of CASES) {
  test(`relocating ${JSON.stringify(text)} gives ${JSON.stringify(expected)}`, () => {
    assert.equal(relocate(text, PATHS), expected);
  });
}

test('text without a slash is never changed', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const plain = text.replaceAll('/', '');
      assert.equal(relocate(plain, PATHS), plain);
    }),
  );
});
