import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { identifyProcess, isRunning } from '../../../kit/process.ts';

/**
 * Who has a store file open. SQLite's lock is what keeps others out, and it goes when its process goes; this note beside
 * the file only tells people whom to ask.
 */
interface Owner {
  readonly pid: number;
  readonly startTicks: string;
  readonly since: string;
}

function notePath(storePath: string): string {
  return `${storePath}.owner`;
}

export function noteOwner(storePath: string, nowMs: number): void {
  const self = identifyProcess(process.pid) ?? { pid: process.pid, startTicks: '' };
  const owner: Owner = { ...self, since: new Date(nowMs).toISOString() };
  writeFileSync(notePath(storePath), `${JSON.stringify(owner)}\n`, { mode: 0o600 });
}

export function forgetOwner(storePath: string): void {
  rmSync(notePath(storePath), { force: true });
}

/** Whether the process of the note still runs. */
export function hasOwner(storePath: string): boolean {
  const owner = readOwner(storePath);
  return owner !== undefined && isRunning(owner);
}

/** The owner in words, as far as the note can be believed. */
export function describeOwner(storePath: string): string {
  const owner = readOwner(storePath);
  if (owner === undefined || !isRunning(owner)) return 'another process';
  return `process ${owner.pid} since ${owner.since}`;
}

function readOwner(storePath: string): Owner | undefined {
  try {
    const owner = JSON.parse(readFileSync(notePath(storePath), 'utf8')) as Partial<Owner>;
    if (typeof owner.pid !== 'number') return undefined;
    return { pid: owner.pid, startTicks: owner.startTicks ?? '', since: owner.since ?? 'an unknown time' };
  } catch {
    return undefined;
  }
}
