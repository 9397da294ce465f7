// However a user ends `tutti up`, short of killing it: all that it started is gone with it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Mesh, pause, startMesh } from '../support/mesh.ts';
import { processesNaming } from '../support/tutti-process.ts';

async function ends(act: (mesh: Mesh) => Promise<void> | void): Promise<void> {
  const mesh = await startMesh();
  try {
    await mesh.run('web');
    await act(mesh);
    assert.equal(await mesh.up().exited, 130);
    assert.deepEqual(processesNaming(mesh.folder), []);
  } finally {
    await mesh.stop();
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} stops everything`, () => ends((mesh) => mesh.up().signal(signal)));
}

test('Ctrl-C pressed again does not end it before all is down', () =>
  ends(async (mesh) => {
    mesh.up().signal('SIGINT');
    await pause(100);
    mesh.up().signal('SIGINT');
  }));

test('Ctrl-C in `tutti up | tee`, which ends tee first, stops everything', () =>
  ends((mesh) => {
    mesh.up().stopReading();
    mesh.up().signal('SIGINT');
  }));

test('`tutti up | head` goes on when head has seen enough', () =>
  ends(async (mesh) => {
    mesh.up().stopReading();
    await mesh.run('second');
    assert.equal((await mesh.pods('second')).length, 1);
    mesh.up().signal('SIGINT');
  }));
