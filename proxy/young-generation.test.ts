import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

const MB = 1024 * 1024;

// In a process of its own, as V8's flags are. What is allocated survives its first collection, which is what makes V8 grow.
const PROGRAM = `
import v8 from 'node:v8';
import { YoungGeneration } from '${import.meta.resolve('./young-generation.ts')}';
import { FakeClock } from '${import.meta.resolve('../kit/fake-clock.ts')}';
const bytes = () => v8.getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size;
const kept = [];
const allocate = () => {
  for (let at = 0; at < 6000; at++) kept[at % 1000] = new Array(200).fill(at);
};
const clock = new FakeClock();
let spent = 0;
const youngGeneration = new YoungGeneration(clock, () => spent);
// The least of several: within a collection it is more for a moment.
const after = async (busyMicros) => {
  let least = Infinity;
  for (const micros of busyMicros) {
    spent += micros;
    await clock.advance(2000);
    allocate();
    least = Math.min(least, bytes());
  }
  return least;
};
const idle = await after(new Array(8).fill(10_000));
const bursts = await after([1_000_000, 0, 1_000_000, 0, 1_000_000, 0, 1_000_000, 0]);
let busy = 0;
for (let times = 0; times < 20 && busy < ${6 * MB}; times++) busy = await after([400_000, 400_000, 400_000]);
youngGeneration.close();
process.stdout.write(JSON.stringify({ idle, bursts, busy }));
`;

test('memory for new objects grows when the proxy has much to do, and stays small before, whatever survives', async () => {
  // As an agent starts it (cli/process/proxy-command.ts).
  const args = ['--max-semi-space-size=8', '--input-type=module', '--eval', PROGRAM];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 120_000 });
  const { idle, bursts, busy } = JSON.parse(stdout) as { idle: number; bursts: number; busy: number };
  // Two halves of 1 MB, or of the 2 that it may have grown to before the first line ran.
  assert.ok(idle < 5 * MB, `idle: ${idle}`);
  assert.ok(bursts < 5 * MB, `after bursts: ${bursts}`);
  assert.ok(busy >= 6 * MB, `busy: ${busy}`);
});
