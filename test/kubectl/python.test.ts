import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { startTestApiServer } from '../support/api-server.ts';
import { needs } from '../support/programs.ts';
import { run } from '../support/tutti-process.ts';

/** Debian's own Python: python3-kubernetes is for it, and for no other that may be first on PATH. */
const PYTHON = '/usr/bin/python3';
const LIBRARY = '/usr/lib/python3/dist-packages/kubernetes';

test("Debian's python3-kubernetes creates, watches, patches, pages and deletes", needs(PYTHON, LIBRARY), async () => {
  const api = await startTestApiServer();
  try {
    const script = join(import.meta.dirname, 'python-client.py');
    const { code, stdout, stderr } = await run(PYTHON, [script, api.kubeconfig], { cwd: api.folder });
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), {
      strategy: 'RollingUpdate',
      pullPolicy: 'IfNotPresent',
      scaled: 5,
      patched: ['shop/web:v1', 'info'],
      generation: 3,
      replaced: 3,
      stale: [409, 'Conflict'],
      events: [
        ['MODIFIED', 'conf', { a: '2' }],
        ['DELETED', 'conf', { a: '2' }],
      ],
      pages: [['a', 'b'], ['c']],
      route: [['shop.example'], 1],
      deleted: 'Success',
      gone: 404,
    });
  } finally {
    await api.close();
  }
});
