import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needs, program } from '../support/programs.ts';
import { run } from '../support/tutti-process.ts';

/*
 * The same tests by another kubectl: one minor version above the server's, which is as far apart as Kubernetes lets them
 * be. Not those of agents and their ends, where kubectl is only the one who looks.
 */

const NEXT = 'kubectl-1.35';
const needed = needs(NEXT);

test('the kubectl of these tests is the next minor version', needed, async () => {
  const { stdout } = await run(program(NEXT), ['version', '--client'], { cwd: import.meta.dirname });
  assert.match(stdout, /Client Version: v1\.35\./);
});

if (needed.skip === false) {
  process.env['KUBECTL'] = program(NEXT);
  await import('./exec.test.ts');
  await import('./manifests.test.ts');
  await import('./reading.test.ts');
  await import('./rollout.test.ts');
  await import('./server-side.test.ts');
  await import('./verbs.test.ts');
  await import('./writing.test.ts');
}
