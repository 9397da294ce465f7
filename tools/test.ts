// `npm test`: brings the referees, runs `npm run check`, then every test; ends in node's summary and names what was
// skipped. `npm test -- PATTERN…` runs the test files whose path holds one of the patterns, and nothing else.
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { compose } from 'node:stream';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { installPrograms } from './programs.ts';
import { type TestEvent, TestTotals } from './test-totals.ts';

const root = join(import.meta.dirname, '..');
const patterns = process.argv.slice(2);

/** What these count must be there within a time, or under much load: they get the machine for themselves, after all others. */
const ALONE = [
  'test/ha/',
  'test/soak/',
  ...['certificates-held-up', 'no-request-lost', 'nodes'].map((name) => `test/e2e/${name}.`),
];
/** Who uses this counts failures under some load: two of them share the machine. */
const LOAD = 'support/load.ts';

// Each test file is a process, and starts others: what one has compiled, all have.
process.env['NODE_COMPILE_CACHE'] ??= join(root, '.tools', 'compile-cache');

// For one test: a hung one must not eat the run. Nor may a file whose tests have ended (end-of-tests.ts); node's forceExit would
// do for that, but loses what a file of quick tests has just reported.
const TEST_TIMEOUT_MS = 8 * 60_000;

/** Read by each test file's process first. */
const BEFORE_TESTS = ['end-of-tests.ts', 'test-seed.ts'];

function testFiles(): string[] {
  const files = globSync('**/*.test.ts', { cwd: root, exclude: ['node_modules/**', 'dist/**'] }).sort();
  return files.filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)));
}

type Group = 'together' | 'pairs' | 'alone';

function groupOf(file: string): Group {
  if (ALONE.some((beginning) => file.startsWith(beginning))) return 'alone';
  return readFileSync(join(root, file), 'utf8').includes(LOAD) ? 'pairs' : 'together';
}

/** Array.sort keeps the order of equals. */
function rank(file: string): number {
  return file.startsWith('test/e2e/') ? 0 : file.startsWith('test/') ? 1 : 2;
}

async function* events(): AsyncGenerator<TestEvent> {
  const files = testFiles();
  if (files.length === 0) throw new Error(`no test file matches ${patterns.join(', ')}`);
  // The long ones stand in test/, and must not be what is left at the end.
  const groups = Map.groupBy(
    files.toSorted((one, other) => rank(one) - rank(other)),
    groupOf,
  );
  const totals = new TestTotals();
  // All of the many wait for something now and then.
  for (const [name, concurrency] of [
    ['together', availableParallelism() + 1],
    ['pairs', 2],
    ['alone', 1],
  ] as const) {
    const group = groups.get(name) ?? [];
    if (group.length === 0) continue;
    const stream = run({
      files: group.map((file) => join(root, file)),
      concurrency,
      timeout: TEST_TIMEOUT_MS,
      execArgv: BEFORE_TESTS.flatMap((name) => ['--import', join(root, 'tools', name)]),
    });
    for await (const event of stream as AsyncIterable<TestEvent>) {
      if (totals.take(event)) yield event;
    }
  }
  yield* totals.summary();
  if (totals.failed) process.exitCode = 1;
}

if (patterns.length === 0) {
  installPrograms(root);
  const { status } = spawnSync(process.execPath, [join(root, 'tools/check.ts')], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
compose(events(), new spec()).pipe(process.stdout);
