import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { bundleProxy } from './bundle-proxy.ts';

// What a start has no use for, and 10 ms of CPU each.
const WRITE_LOADED = `process.on('exit', () => {
  const late = ['assert', 'cluster', 'fs/promises', 'worker_threads'];
  const loaded = late.filter((name) => process.moduleLoadList.includes('NativeModule ' + name));
  console.error('late: ' + (loaded.join(', ') || 'none'));
});
`;

test('the bundled proxy runs without the repository and what it does not need yet, with one worker and with several', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-bundle-'));
  try {
    await bundleProxy(join(folder, 'bundle'));
    // A port that is taken: the proxy has loaded everything and made its workers when it says so.
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as { port: number };
    const bootstrap = {
      mode: 'sidecar',
      nodeId: 'sidecar/default/web',
      namespace: 'default',
      name: 'web',
      serviceAccount: 'default',
      trustDomain: 'tutti.local',
      podAddress: '127.64.9.9',
      workloadApi: `unix://${join(folder, 'none.sock')}`,
      xdsAddress: '127.0.0.1:1',
      admin: { address: '127.0.0.1', port },
      stateFolder: join(folder, 'state'),
      logLevel: 'info',
    };
    writeFileSync(join(folder, 'bootstrap.json'), JSON.stringify(bootstrap));
    writeFileSync(join(folder, 'loaded.cjs'), WRITE_LOADED);
    for (const concurrency of ['1', '2']) {
      const args = [
        '--require',
        join(folder, 'loaded.cjs'),
        join(folder, 'bundle', 'main.js'),
        '--bootstrap',
        join(folder, 'bootstrap.json'),
      ];
      const options = { cwd: folder, encoding: 'utf8', timeout: 120_000, killSignal: 'SIGKILL' } as const;
      const { stderr, status } = spawnSync(process.execPath, [...args, '--concurrency', concurrency], options);
      assert.equal(status, 1);
      assert.match(stderr, /tutti proxy: listen EADDRINUSE/);
      assert.doesNotMatch(stderr, /worker failed/);
      if (concurrency === '1') assert.match(stderr, /^late: none$/m);
    }
    taken.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
