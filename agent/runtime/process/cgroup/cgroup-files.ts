import type { ContainerResources } from '../../runtime.ts';

/** A file of a control group, and what is written into it. */
export interface CgroupFile {
  readonly name: string;
  readonly value: string;
}

const PERIOD_MICROSECONDS = 100_000;
/** The kernel refuses quotas below a millisecond. */
const LEAST_QUOTA_MICROSECONDS = 1000;

/**
 * What a container's resources come to (docs.kernel.org, "Control Group v2", interface files): `cpu.max` for the limit,
 * `cpu.weight` for the request, `memory.max`. No swap, as the kubelet's default; one killed for memory takes all with it.
 */
export function cgroupFiles({
  cpuRequestMillis = 0,
  cpuLimitMillis,
  memoryLimitBytes,
}: ContainerResources): readonly CgroupFile[] {
  const files: CgroupFile[] = [{ name: 'cpu.weight', value: String(cpuWeight(cpuRequestMillis)) }];
  if (cpuLimitMillis !== undefined && cpuLimitMillis > 0) {
    const quota = Math.max(LEAST_QUOTA_MICROSECONDS, Math.round((cpuLimitMillis * PERIOD_MICROSECONDS) / 1000));
    files.push({ name: 'cpu.max', value: `${quota} ${PERIOD_MICROSECONDS}` });
  }
  if (memoryLimitBytes !== undefined && memoryLimitBytes > 0) {
    files.push({ name: 'memory.max', value: String(Math.round(memoryLimitBytes)) });
    files.push({ name: 'memory.oom.group', value: '1' });
  }
  return files;
}

/** Where the kernel has swap accounting: pages that are over the limit do not go there instead. */
export const NO_SWAP: CgroupFile = { name: 'memory.swap.max', value: '0' };

/** Thousandths of a processor as shares (1024 to one), and those as a weight of 1 to 10,000 (KEP-2254). */
function cpuWeight(millis: number): number {
  const shares = Math.min(262_144, Math.max(2, Math.floor((millis * 1024) / 1000)));
  return Math.floor(1 + ((shares - 2) * 9999) / 262_142);
}
