import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CommandError } from '../output/exit-codes.ts';
import { lockFolder, lockFolderAs } from './lock.ts';
import { requireFreePorts } from './ports.ts';

test('a folder is locked by one process, and the second is told which', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-lock-'));
  try {
    const lock = await lockFolder(folder);
    await assert.rejects(lockFolder(folder), (error: CommandError) => {
      assert.match(error.message, new RegExp(`in use by another tutti \\(process ${process.pid}\\)`));
      assert.match(error.hint ?? '', /stop it/);
      return true;
    });
    await lock.release();
    await (await lockFolder(folder)).release();
    assert.deepEqual(await readdir(folder), []);
  } finally {
    await rm(folder, { recursive: true });
  }
});

for (const [name, content] of [
  ['of a process that is gone', JSON.stringify({ pid: process.pid, startTicks: '1' })],
  ['cut short by a crash', '{"pid":'],
] as const) {
  test(`a lock ${name} is taken over`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tutti-lock-'));
    try {
      await writeFile(join(folder, 'up.lock'), content);
      await (await lockFolder(folder)).release();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
}

test('whoever is several kinds holds all of their locks, or none', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-lock-'));
  try {
    const all = await lockFolderAs(folder, ['up', 'control', 'agent']);
    await assert.rejects(lockFolder(folder, 'agent'), /in use by another tutti/);
    await all.release();
    const agent = await lockFolder(folder, 'agent');
    await assert.rejects(lockFolderAs(folder, ['up', 'control', 'agent']), /in use by another tutti/);
    assert.deepEqual(await readdir(folder), ['agent.lock']);
    await agent.release();
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a state folder that cannot be made is refused with what to do', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-lock-'));
  try {
    await writeFile(join(folder, 'file'), '');
    // Node's recursive mkdir never returns from the last.
    for (const path of [join(folder, 'file'), join(folder, 'file', 'state'), '/proc/nothing-file/state']) {
      await assert.rejects(lockFolder(path), (error: CommandError) => {
        assert.equal(error.name, 'CommandError');
        assert.match(error.message, /^state folder ".*file.*": cannot be written \((EEXIST|ENOTDIR|ENOENT)/);
        assert.match(error.hint ?? '', /--data/);
        return true;
      });
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a port in use is refused with its holder and the way out, unless it is held from the same state folder', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const wanted = [
      { port: 0, address: '127.0.0.1', use: 'any', change: 'never' },
      { port, address: '127.0.0.1', use: 'API server', change: 'choose another with --api-port' },
    ];
    await assert.rejects(requireFreePorts(wanted, '/nowhere'), (error: CommandError) => {
      assert.match(error.message, new RegExp(`^port ${port} \\(API server\\): in use`));
      if (process.platform === 'linux') assert.match(error.message, new RegExp(`process ${process.pid}`));
      assert.match(error.hint ?? '', /--api-port/);
      return true;
    });
    if (process.platform === 'linux') await requireFreePorts(wanted, process.argv[0] ?? '');
  } finally {
    server.close();
  }
});
