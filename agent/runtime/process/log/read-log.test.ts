import assert from 'node:assert/strict';
import { appendFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import * as fc from 'fast-check';
import { FakeClock } from '../../../../kit/fake-clock.ts';
import type { LogOptions } from '../../runtime.ts';
import { LogFiles } from './log-files.ts';
import { readLog } from './read-log.ts';

const START = Date.UTC(2020, 0, 1);
const LIMITS = { maxBytes: 100, maxFiles: 3 };

async function fixture(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'log-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'log');
  const clock = new FakeClock(START);
  const files = new LogFiles(path, LIMITS);
  let isOpen = true;
  const read = (options: Omit<LogOptions, 'signal'> = {}): AsyncGenerator<Uint8Array> =>
    readLog({ files, isOpen: () => isOpen }, { signal: new AbortController().signal, ...options }, clock);
  const text = async (options?: Omit<LogOptions, 'signal'>): Promise<string> => {
    let all = '';
    for await (const piece of read(options)) all += Buffer.from(piece).toString();
    return all;
  };
  return { path, clock, files, read, text, end: () => (isOpen = false) };
}

/** Writes as a program does, and lets the agent see it at that second. */
function write(at: { path: string; files: LogFiles }, text: string, second: number): void {
  appendFileSync(at.path, text);
  at.files.observe(START + second * 1000);
}

test('a full file is rotated, older ones move on, the oldest goes, and all that is kept is read in order', async (t) => {
  const at = await fixture(t);
  const lines = Array.from({ length: 12 }, (_, index) => `line ${String(index).padStart(2, '0')} ${'x'.repeat(40)}\n`);
  for (const [index, line] of lines.entries()) write(at, line, index);
  assert.ok(statSync(at.path).size < LIMITS.maxBytes);
  const kept = await at.text();
  assert.ok(lines.join('').endsWith(kept));
  assert.ok(kept.length >= 2 * LIMITS.maxBytes && kept.length <= 3 * LIMITS.maxBytes + 100);
  assert.equal(await at.text({ tailLines: 5 }), lines.slice(-5).join(''));
});

test('a follower loses and repeats nothing across rotations', async (t) => {
  const at = await fixture(t);
  write(at, 'before\n', 0);
  const reader = at.read({ follow: true });
  let seen = Buffer.from((await reader.next()).value as Uint8Array).toString();
  for (let index = 0; index < 20; index++) {
    write(at, `${index} ${'y'.repeat(30)}\n`, index);
    const next = reader.next();
    await at.clock.advance(200);
    seen += Buffer.from((await next).value as Uint8Array).toString();
  }
  at.end();
  const last = reader.next();
  await at.clock.advance(200);
  assert.equal((await last).done, true);
  assert.equal(seen, `before\n${Array.from({ length: 20 }, (_, index) => `${index} ${'y'.repeat(30)}\n`).join('')}`);
});

test('lines have the time at which they were seen, and can be asked for by it', async (t) => {
  const at = await fixture(t);
  write(at, 'one\ntwo\n', 10);
  write(at, 'three', 20);
  write(at, ' and more\n', 30);
  const stamp = (second: number): string => new Date(START + second * 1000).toISOString();
  assert.equal(
    await at.text({ timestamps: true }),
    `${stamp(10)} one\n${stamp(10)} two\n${stamp(20)} three and more\n`,
  );
  assert.equal(await at.text({ sinceMs: START + 15_000 }), 'three and more\n');
  assert.equal(await at.text({ sinceMs: START + 15_000, tailLines: 0 }), '');
  assert.equal(await at.text({ sinceMs: START + 31_000 }), '');
});

test('what was written while no agent was there is timed by the file', async (t) => {
  const at = await fixture(t);
  appendFileSync(at.path, 'meanwhile\n');
  const later = new LogFiles(at.path, LIMITS);
  later.observe(Date.now() + 3_600_000);
  const written = statSync(at.path).mtimeMs;
  const stamped = await at.text({ timestamps: true });
  assert.ok(Math.abs(Date.parse(stamped.split(' ')[0] ?? '') - written) < 2);
});

test('the last lines of a log are its last lines, wherever files begin and end', async (t) => {
  const at = await fixture(t);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: fc.constantFrom('a', '\n'), minLength: 1, maxLength: 60 }), { maxLength: 8 }),
      fc.nat(12),
      async (pieces, lines) => {
        await rm(at.path, { force: true });
        for (const suffix of ['.1', '.2', '.times', '.1.times', '.2.times'])
          await rm(at.path + suffix, { force: true });
        const files = new LogFiles(at.path, { maxBytes: 50, maxFiles: 20 });
        for (const piece of pieces) write({ path: at.path, files }, piece, 1);
        let seen = '';
        const options = { tailLines: lines, signal: new AbortController().signal };
        for await (const piece of readLog({ files, isOpen: () => false }, options, at.clock))
          seen += Buffer.from(piece).toString();
        const all = pieces.join('');
        const wanted = all.split(/(?<=\n)/).filter((line) => line !== '');
        assert.equal(seen, lines === 0 ? '' : wanted.slice(-lines).join(''));
        for (let index = 1; index < 20; index++) {
          await rm(`${at.path}.${index}`, { force: true });
          await rm(`${at.path}.${index}.times`, { force: true });
        }
      },
    ),
    { numRuns: 100 },
  );
});
