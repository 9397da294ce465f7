import { readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../../../../kit/make-folder.ts';
import type { ContainerUsage } from '../../runtime.ts';
import { type CgroupFile, NO_SWAP } from './cgroup-files.ts';

/** The control group of one run. What cannot be read is not there: the kernel has the last word on when a group goes. */
export class Cgroup {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Makes it, with its limits. Throws when the kernel refuses. */
  make(files: readonly CgroupFile[]): void {
    makeFolder(this.folder);
    for (const { name, value } of files) writeFileSync(join(this.folder, name), value);
    if (!files.some(({ name }) => name === 'memory.max')) return;
    try {
      writeFileSync(join(this.folder, NO_SWAP.name), NO_SWAP.value);
    } catch {
      // A kernel without swap accounting has no such file.
    }
  }

  join(pid: number): void {
    writeFileSync(join(this.folder, 'cgroup.procs'), String(pid));
  }

  pids(): readonly number[] {
    return (this.#read('cgroup.procs') ?? '').split('\n').filter(Boolean).map(Number);
  }

  /** Kills all that is in it at once (since Linux 5.14; the caller kills one by one besides). */
  kill(): void {
    try {
      writeFileSync(join(this.folder, 'cgroup.kill'), '1');
    } catch {
      // An older kernel, or it is gone.
    }
  }

  /** Whether the kernel killed in it because its memory limit was reached. */
  get isOutOfMemory(): boolean {
    return this.#number('memory.events', 'oom_kill') > 0;
  }

  /** As the kubelet has it: the working set is what is used without pages of files that could go. */
  usage(): ContainerUsage | undefined {
    const current = this.#read('memory.current');
    const microseconds = this.#number('cpu.stat', 'usage_usec');
    if (current === undefined) return undefined;
    const memoryBytes = Math.max(0, Number(current) - this.#number('memory.stat', 'inactive_file'));
    return { cpuNanoseconds: microseconds * 1000, memoryBytes };
  }

  /** Takes it away, if nothing is in it. */
  remove(): void {
    try {
      rmdirSync(this.folder);
    } catch {
      // Gone already; or in use, and then the next start of the agent sweeps it.
    }
  }

  #number(file: string, key: string): number {
    const line = (this.#read(file) ?? '').split('\n').find((each) => each.startsWith(`${key} `));
    return Number(line?.slice(key.length + 1) ?? 0);
  }

  #read(file: string): string | undefined {
    try {
      return readFileSync(join(this.folder, file), 'utf8');
    } catch {
      return undefined;
    }
  }
}

/** Empties groups of which nothing is written down, whatever is in them, and takes them away. */
export function sweepCgroups(folder: string, known: ReadonlySet<string>): void {
  for (const name of groupsIn(folder)) {
    const group = new Cgroup(join(folder, name));
    if (known.has(group.folder)) continue;
    group.kill();
    group.remove();
  }
}

function groupsIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}
