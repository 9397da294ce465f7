// `npm run check`: format, lint, types, dead code, and the laws of the tree (imports, READMEs, pages). Each step runs even when one before it failed, so that one
// run shows everything. `npm test` runs these and then every test.
import { spawnSync } from 'node:child_process';

const steps: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ['format', 'biome', 'check', '--error-on-warnings', '.'],
  ['lint', 'oxlint', '--type-aware', '--deny-warnings', '.'],
  ['types', 'tsc', '--noEmit'],
  ['dead code', 'knip'],
  [
    'laws',
    'node',
    '--test',
    '--test-reporter=dot',
    'test/import-law.test.ts',
    'test/readme-law.test.ts',
    'test/command-reference.test.ts',
  ],
];

const failed: string[] = [];
for (const [name, command, ...args] of steps) {
  const started = performance.now();
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`check: ${name} ${status === 0 ? 'ok' : 'FAILED'} (${seconds} s)\n`);
  if (status !== 0) failed.push(name);
}
if (failed.length > 0) {
  process.stdout.write(`check: failed: ${failed.join(', ')}\n`);
  process.exitCode = 1;
}
