import type { LoadOutcome } from './load/outcome.ts';
import type { Watch } from './load-process.ts';
import { usageOf } from './proxy-process.ts';
import type { Figures } from './result.ts';
import type { Server } from './side-by-side.ts';

/** One round of a load on one server, and what its processes spent on it. Throws when a request failed, or none was made. */
export async function measure(
  { name, port, processes }: Server,
  load: (port: number, watch: Watch) => Promise<LoadOutcome>,
): Promise<Figures> {
  let before = usageOf(processes);
  let after = before;
  const outcome = await load(port, {
    begun: () => void (before = usageOf(processes)),
    over: () => void (after = usageOf(processes)),
  });
  if (outcome.failures > 0 || outcome.requests === 0) {
    const said = processes.map(({ output }) => output()).join('\n');
    throw new Error(`${name}: ${outcome.failures} requests failed, ${outcome.requests} did not: ${said}`);
  }
  return {
    cpuMicrosPerRequest: (after.cpuMicros - before.cpuMicros) / outcome.requests,
    requestsPerSecond: (outcome.requests * 1000) / outcome.durationMs,
    p50Ms: outcome.p50Ms,
    p99Ms: outcome.p99Ms,
    p999Ms: outcome.p999Ms,
    rssBytes: after.rssBytes,
  };
}
