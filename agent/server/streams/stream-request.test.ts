import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readStreamRequest } from './stream-request.ts';

const read = (path: string): unknown => readStreamRequest(new URL(path, 'https://agent'));
const place = { namespace: 'shop', pod: 'web', container: 'app' };

test('an exec request is read with its command as it was, word by word', () => {
  assert.deepEqual(read('/exec/shop/web/app?command=sh&command=-c&command=a%20b%26c&input=1&output=1'), {
    ok: true,
    request: {
      type: 'exec',
      ...place,
      command: ['sh', '-c', 'a b&c'],
      stdin: true,
      stdout: true,
      stderr: false,
      terminal: false,
    },
  });
});

test('a terminal has one output', () => {
  assert.deepEqual(read('/attach/shop/web/app?output=1&error=1&tty=1'), {
    ok: true,
    request: { type: 'attach', ...place, stdin: false, stdout: true, stderr: false, terminal: true },
  });
});

test('ports may be many, or none for clients that name them later', () => {
  const request = { type: 'portForward', namespace: 'shop', pod: 'web' };
  assert.deepEqual(read('/portForward/shop/web?port=80&port=65535'), {
    ok: true,
    request: { ...request, ports: [80, 65_535] },
  });
  assert.deepEqual(read('/portForward/shop/web'), { ok: true, request: { ...request, ports: [] } });
});

for (const [path, words] of [
  ['/exec/shop/web/app?output=1', /must specify a command/],
  ['/exec/shop/web/app?command=true', /at least 1 of stdin, stdout, stderr/],
  ['/portForward/shop/web?port=0', /port "0"/],
  ['/portForward/shop/web?port=80%20', /port "80 "/],
  ['/portForward/shop/web?port=65536', /port "65536"/],
] as const) {
  test(`${path} is refused in words`, () => {
    const result = readStreamRequest(new URL(path, 'https://agent'));
    assert.match(result?.ok === false ? result.message : '', words);
  });
}

test('another path is somebody else’s', () => {
  assert.equal(read('/containerLogs/shop/web/app'), undefined);
  assert.equal(read('/exec/shop/web'), undefined);
});
