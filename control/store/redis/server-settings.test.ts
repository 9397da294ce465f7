import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeSettings, readSettings, type ServerSettings } from './server-settings.ts';

const SAFE: ServerSettings = {
  version: '7.0.15',
  role: 'master',
  cluster: false,
  appendonly: 'yes',
  appendfsync: 'always',
  maxmemory: '0',
  maxmemoryPolicy: 'noeviction',
  replicas: 0,
  minReplicasToWrite: '0',
};

test('settings that lose acknowledged writes are refused or warned of, with what to set', () => {
  const cases: readonly (readonly [Partial<ServerSettings>, string, RegExp])[] = [
    [{ appendonly: 'no' }, 'refuse settings', /set "appendonly yes"/],
    [{ appendfsync: 'no' }, 'refuse settings', /set "appendfsync always"/],
    [{ appendfsync: 'everysec' }, 'warn settings', /up to a second .* set "appendfsync always"/],
    [{ maxmemory: '1', maxmemoryPolicy: 'allkeys-lru' }, 'refuse settings', /set "maxmemory-policy noeviction"/],
    [{ maxmemoryPolicy: 'volatile-ttl' }, 'warn settings', /before you set maxmemory/],
    [{ role: 'slave' }, 'refuse replica', /name the primary/],
    [{ cluster: true }, 'refuse cluster', /cluster-enabled no/],
    [{ version: '6.0.16' }, 'refuse version', /6\.2 or newer/],
    [{ version: '5.9.9' }, 'refuse version', /6\.2 or newer/],
    [{ replicas: 2 }, 'warn settings', /min-replicas-to-write 1/],
    [
      { appendonly: undefined, appendfsync: undefined, maxmemory: undefined, maxmemoryPolicy: undefined },
      'warn settings',
      /CONFIG is not permitted/,
    ],
  ];
  for (const [change, verdict, words] of cases) {
    const problems = judgeSettings({ ...SAFE, ...change });
    assert.deepEqual(
      problems.map(({ weight, reason }) => `${weight} ${reason}`),
      [verdict],
    );
    assert.match(problems[0]?.message ?? '', words);
  }
});

test('safe settings, and newer versions, have no problem', () => {
  for (const version of ['6.2.0', '7.0.15', '8.4.1', '10.0.0'])
    assert.deepEqual(judgeSettings({ ...SAFE, version }), []);
});

test('settings are read from INFO and CONFIG GET as the server words them', () => {
  const info =
    '# Server\r\nredis_version:7.0.15\r\n# Replication\r\nrole:slave\r\nconnected_slaves:2\r\ncluster_enabled:1\r\n';
  assert.deepEqual(readSettings(info, ['appendonly', 'yes', 'appendfsync', 'everysec', 'maxmemory', '0']), {
    version: '7.0.15',
    role: 'slave',
    cluster: true,
    appendonly: 'yes',
    appendfsync: 'everysec',
    maxmemory: '0',
    maxmemoryPolicy: undefined,
    replicas: 2,
    minReplicasToWrite: undefined,
  });
  assert.equal(readSettings(info, undefined).appendonly, undefined);
});
