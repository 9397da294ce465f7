import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProcEntry } from './host/proc-table.ts';
import { usageOf } from './usage.ts';

function entry(pid: number, parent: number, session: number, more: Partial<ProcEntry> = {}): ProcEntry {
  return { pid, parent, group: session, session, zombie: false, cpuTicks: 10, residentPages: 100, ...more };
}

const PAGE = 4096;

test('a container is all that it started: children, their children, and what is in its session', () => {
  const table = [
    entry(10, 1, 10),
    entry(11, 10, 10),
    entry(12, 11, 12, { cpuTicks: 5 }),
    entry(13, 1, 10, { cpuTicks: 1 }),
    entry(20, 1, 20, { cpuTicks: 1000 }),
    entry(30, 1, 30, { cpuTicks: 7 }),
  ];
  const none = (): number => 0;
  const [first, second, gone] = usageOf(table, [10, 20, 99], none);
  assert.deepEqual(first, { cpuNanoseconds: 260_000_000, memoryBytes: 400 * PAGE });
  assert.deepEqual(second, { cpuNanoseconds: 10_000_000_000, memoryBytes: 100 * PAGE });
  assert.equal(gone, undefined);
});

test('what the processes of a container share of files counts once', () => {
  const table = [entry(10, 1, 10), entry(11, 10, 10), entry(12, 10, 10, { residentPages: 50 })];
  const shared = ({ pid }: ProcEntry): number => (pid === 12 ? 80 : 60) * PAGE;
  // 40 and 40 of their own, nothing of the third, whose pages are all of files; 60 that are shared.
  assert.equal(usageOf(table, [10], shared)[0]?.memoryBytes, (40 + 40 + 60) * PAGE);
});
