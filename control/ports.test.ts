import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openKeptPorts } from './ports.ts';

test('a port that the system chose is asked for again after a restart; one that the user names wins', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-ports-'));
  try {
    const first = await openKeptPorts(folder);
    assert.equal(first.wanted('api', 0), 0);
    await first.keep('api', 40_001);
    // Another process of the same folder writes in between.
    await (await openKeptPorts(folder)).keep('dns', 40_002);
    await first.keep('xds', 40_003);
    const second = await openKeptPorts(folder);
    assert.deepEqual(
      ['api', 'dns', 'xds'].map((use) => second.wanted(use, 0)),
      [40_001, 40_002, 40_003],
    );
    assert.equal(second.wanted('api', 6443), 6443);
    for (const text of ['{"api":', '{"api":-4}', '{"api":70000}', '{"api":1.5}', '{"api":"6443"}', '[]', 'null']) {
      await writeFile(join(folder, 'ports.json'), text);
      assert.equal((await openKeptPorts(folder)).wanted('api', 0), 0, text);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
