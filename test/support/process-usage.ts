import { readdirSync, readFileSync } from 'node:fs';

export interface Usage {
  readonly cpuMicros: number;
  readonly rssBytes: number;
}

// Linux' USER_HZ, which /proc/<pid>/stat counts in; 100 on every architecture that Node runs on.
const TICK_MICROS = 10_000;
const PAGE_BYTES = 4096;

/** User and system time and memory of a process and all its descendants (nginx' worker is a child of its master). */
export function usage(pid: number): Usage {
  const children = new Map<number, number[]>();
  const own = new Map<number, Usage>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const text = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const fields = text
        .slice(text.lastIndexOf(')') + 2)
        .split(' ')
        .map(Number);
      const [, parent = 0] = fields;
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
      const cpuMicros = ((fields[11] ?? 0) + (fields[12] ?? 0)) * TICK_MICROS;
      own.set(Number(entry), { cpuMicros, rssBytes: (fields[21] ?? 0) * PAGE_BYTES });
    } catch {
      // It ended between the listing and the reading.
    }
  }
  const sum = (of: number): Usage => {
    const mine = own.get(of) ?? { cpuMicros: 0, rssBytes: 0 };
    return (children.get(of) ?? [])
      .map(sum)
      .reduce(
        (total, child) => ({ cpuMicros: total.cpuMicros + child.cpuMicros, rssBytes: total.rssBytes + child.rssBytes }),
        mine,
      );
  };
  return sum(pid);
}
