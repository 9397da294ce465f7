import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { httpClient } from '../../api/client/http-client.ts';
import { readKubeconfig } from '../../api/client/kubeconfig.ts';
import { configMapKind } from '../../api/kinds/config-map.ts';
import { secretKind } from '../../api/kinds/secret.ts';
import { ApiError } from '../../api/meta/api-error.ts';
import { eventually } from '../support/eventually.ts';
import { type RunningTutti, startTutti, tutti } from '../support/tutti-process.ts';

const PASSWORD = Buffer.from('correct horse battery staple').toString('base64');

let cwd: string;
let control: RunningTutti;

async function start(...flags: string[]): Promise<void> {
  control = startTutti(['control', '--data', 'state', '--api-port', '0', '--xds-port', '0', ...flags], { cwd });
  await control.printed('kubeconfig: ');
}

async function stop(): Promise<void> {
  control.signal('SIGTERM');
  assert.equal(await control.exited, 130);
}

async function store(...args: string[]): Promise<Readonly<Record<string, unknown>>> {
  const { code, stdout, stderr } = await tutti(['store', ...args, '--data', 'state', '-o', 'json'], { cwd });
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Readonly<Record<string, unknown>>;
}

async function refusal(...args: string[]): Promise<string> {
  const { code, stderr } = await tutti([...args, '--data', 'state'], { cwd });
  assert.equal(code, 1, stderr);
  return stderr;
}

async function connect() {
  return httpClient({ ...(await readKubeconfig(join(cwd, 'state', 'kubeconfig'))), userAgent: 'test' });
}

before(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'tutti-store-'));
});

after(async () => {
  control.signal('SIGKILL');
  await control.exited;
  await rm(cwd, { recursive: true });
});

test('a store is backed up, compacted and its key rotated while the control plane writes, and no Secret is in any file', async () => {
  await start();
  const client = await connect();
  await client.create(secretKind, {
    metadata: { name: 'db', namespace: 'default' },
    type: 'Opaque',
    data: { password: PASSWORD },
  });
  let writes = 0;
  const done = new AbortController();
  const writing = (async () => {
    while (!done.signal.aborted) {
      writes += 1;
      await client.create(configMapKind, {
        metadata: { name: `c${writes}`, namespace: 'default' },
        data: { text: 'x'.repeat(2000) },
      });
    }
  })();
  const backup = await store('backup', 'backup.db');
  assert.ok(Number(backup['revision']) > 1 && Number(backup['keys']) > 1, JSON.stringify(backup));
  assert.equal((await stat(join(cwd, 'backup.db'))).mode & 0o777, 0o600);
  const rotated = await store('rotate-key');
  assert.equal(rotated['secretsSealed'], 1);
  await store('compact');
  done.abort();
  await writing;
  const status = await store('status');
  assert.deepEqual(status['encryptionKeys'], [rotated['keyId'], ...(rotated['oldKeys'] as string[])]);
  assert.deepEqual(backup['encryptionKeys'], rotated['oldKeys']);
  const { data } = await client.get(secretKind, { namespace: 'default', name: 'db' });
  assert.equal(data?.['password'], PASSWORD);
  await client.close();
  // Exit 2: a file went while it looked.
  const found = await eventually('grep has looked into every file', () => {
    const { status: exit, stdout } = spawnSync('grep', ['-rlaF', PASSWORD, cwd], { encoding: 'utf8' });
    return exit === 0 || exit === 1 ? { exit, stdout } : undefined;
  });
  assert.deepEqual(found, { exit: 1, stdout: '' });
  assert.deepEqual(
    (await readdir(join(cwd, 'state'))).filter((name) => name.includes('copy')),
    [],
  );
});

test('the backup is SQLite’s own: its shell reads it', () => {
  const query = 'PRAGMA integrity_check; SELECT count(*) > 0 FROM current';
  const said = execFileSync('python3', [
    '-c',
    `import sqlite3,sys
db = sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True)
for statement in sys.argv[2].split(';'): print(db.execute(statement).fetchone()[0])`,
    join(cwd, 'backup.db'),
    query,
  ]);
  assert.equal(String(said), 'ok\n1\n');
});

test('a node’s agent may neither read nor copy the store', async () => {
  const agent = httpClient({
    ...(await readKubeconfig(join(cwd, 'state', 'agent.kubeconfig'))),
    userAgent: 'test',
  });
  for (const path of ['/tutti/store', '/tutti/store/backup']) {
    await assert.rejects(agent.request('GET', path), (error) => error instanceof ApiError && error.code === 403);
  }
  await agent.close();
});

test('a restore waits for no running control plane, and a second control plane is told who has the folder', async () => {
  assert.match(
    await refusal('store', 'restore', 'backup.db'),
    new RegExp(`its control plane runs \\(process ${control.pid}\\)\\nhint: +stop it`),
  );
  assert.match(await refusal('control'), new RegExp(`in use by another tutti \\(process ${control.pid}\\)`));
  assert.match(await refusal('store', 'backup', 'backup.db'), /backup\.db": is there already/);
});

test('after a restore what was backed up is there, and whoever watched before is told to list anew', async () => {
  const first = await connect();
  const { resourceVersion } = await first.list(configMapKind, { namespace: 'default' });
  await first.delete(secretKind, { namespace: 'default', name: 'db' });
  await first.close();
  await stop();
  const restored = await store('restore', 'backup.db');
  assert.deepEqual(restored['missingKeys'], []);
  assert.ok((await stat(String(restored['keptAside']))).size > 0);
  await start();
  const client = await connect();
  const { data } = await client.get(secretKind, { namespace: 'default', name: 'db' });
  assert.equal(data?.['password'], PASSWORD);
  const watch = client.watch(configMapKind, { resourceVersion, signal: AbortSignal.timeout(30_000) });
  await assert.rejects(
    (async () => {
      for await (const event of watch) assert.fail(`got ${event.type}`);
    })(),
    (error) => error instanceof ApiError && error.code === 410,
  );
  const list = await client.list(configMapKind, { namespace: 'default' });
  assert.ok(Number(list.resourceVersion) > Number(resourceVersion));
  await client.close();
  await stop();
});

test('without its key, or with one that others may read, a control plane refuses to start and says what to do', async () => {
  const key = join(cwd, 'state', 'encryption.key');
  await rename(key, join(cwd, 'moved.key'));
  const flags = ['--api-port', '0', '--xds-port', '0'];
  assert.match(
    await refusal('control', ...flags),
    /encryption key file ".*encryption.key": is missing, and 1 Secrets are sealed with key [0-9a-f]{16}; put the file back, or name it with --encryption-key/,
  );
  execFileSync('chmod', ['644', join(cwd, 'moved.key')]);
  assert.match(
    await refusal('control', ...flags, '--encryption-key', 'moved.key'),
    /others may read or write it \(mode 0644\); run: chmod 600/,
  );
  execFileSync('chmod', ['600', join(cwd, 'moved.key')]);
  await start('--encryption-key', 'moved.key');
  await stop();
});
