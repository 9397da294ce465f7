import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRedisAddress } from './redis-address.ts';
import { RedisRefusedError } from './refusal.ts';

test('a store URL names host, port, database and user, or a Unix socket', () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ['redis://127.0.0.1', { shown: 'redis://127.0.0.1', target: { host: '127.0.0.1', port: 6379 }, tls: false, db: 0 }],
    [
      'rediss://app:p%40ss@cache.example:6380/3',
      {
        shown: 'rediss://cache.example:6380/3',
        target: { host: 'cache.example', port: 6380 },
        tls: true,
        username: 'app',
        password: 'p@ss',
        db: 3,
      },
    ],
    [
      'redis://:secret@[::1]:7000',
      { shown: 'redis://[::1]:7000', target: { host: '::1', port: 7000 }, tls: false, password: 'secret', db: 0 },
    ],
    [
      'unix:///run/redis.sock?db=2',
      { shown: 'unix:///run/redis.sock?db=2', target: { path: '/run/redis.sock' }, tls: false, db: 2 },
    ],
    [
      'unix://:secret@/run/redis.sock',
      { shown: 'unix:///run/redis.sock', target: { path: '/run/redis.sock' }, tls: false, password: 'secret', db: 0 },
    ],
    [
      'redis+unix:///run/r.sock',
      { shown: 'redis+unix:///run/r.sock', target: { path: '/run/r.sock' }, tls: false, db: 0 },
    ],
  ];
  for (const [url, wanted] of cases) assert.deepEqual(parseRedisAddress(url), wanted, url);
});

test('a URL that names no Redis is refused with the forms that do, and without its password', () => {
  for (const url of [
    '',
    'nonsense',
    'http://:secret@host',
    'redis://:secret@',
    'redis://:secret@host/seven',
    'redis://:sec%zzret@host',
    'unix://',
    'redis://user:secret@ho st',
  ]) {
    assert.throws(
      () => parseRedisAddress(url),
      (error) =>
        error instanceof RedisRefusedError &&
        error.reason === 'address' &&
        error.message.includes('rediss://') &&
        !/secret|zzret/.test(error.message),
      url,
    );
  }
});
