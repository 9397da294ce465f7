import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { median } from '../../kit/median.ts';

const PAGE = 4096;

/** What a process holds at one moment. */
export interface Sample {
  readonly seconds: number;
  readonly rssMb: number;
  readonly descriptors: number;
}

/** From /proc; undefined for a process that has ended. */
export function sample(pid: number, seconds: number): Sample | undefined {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
    return { seconds, rssMb: (pages * PAGE) / 2 ** 20, descriptors: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return undefined;
  }
}

/** What a process has open, as /proc says it: files by their path, sockets by their number. */
export function descriptors(pid: number): readonly string[] {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).flatMap((name) => {
      try {
        return `${name} ${readlinkSync(`${folder}/${name}`)}`;
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

/**
 * MB a minute by which a process grows: the median of the slopes between all pairs of samples (Theil 1950, Sen 1968), which a
 * collector's saw-tooth and a single burst do not move.
 */
export function growth(samples: readonly Sample[]): number {
  const slopes = samples.flatMap((left, index) =>
    samples.slice(index + 1).map((right) => ((right.rssMb - left.rssMb) / (right.seconds - left.seconds)) * 60),
  );
  return slopes.length === 0 ? 0 : median(slopes);
}
