import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { program } from '../test/support/programs.ts';
import { questions } from './load/dns-names.ts';
import { DNS_PEERS } from './peers/dns-peers.ts';
import { runPinned, usageOf } from './proxy-process.ts';
import type { Figures, ScenarioResult } from './result.ts';
import { type Options, ROUNDS } from './scenario.ts';
import { LOAD_CORE, type Server, sideBySide } from './side-by-side.ts';

const WARM_UP_SECONDS = 2;
/** Sockets that ask, and questions under way on all of them together. */
const CLIENTS = 16;
const OUTSTANDING = 100;
/** Latency is taken at a rate that every server can carry: at full load it would only tell how many questions wait. */
const PACED_PER_SECOND = 5000;
const PACED_SECONDS = 1;

/** Questions of a cluster over UDP, from dnsperf: as fast as answers come for CPU and rate, then at a set rate for latency. */
export async function dns(options: Options): Promise<ScenarioResult> {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-bench-dns-'));
  const file = join(folder, 'questions');
  writeFileSync(file, questions());
  try {
    return await sideBySide({
      ...options,
      rounds: options.rounds ?? ROUNDS,
      scenario: 'dns',
      peers: DNS_PEERS,
      warmUp: async (port) => void (await ask(port, file, WARM_UP_SECONDS)),
      measure: (server) => measure(server, file, options.roundMs / 1000),
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure({ processes, port }: Server, file: string, seconds: number): Promise<Figures> {
  const before = usageOf(processes);
  const full = await ask(port, file, seconds);
  const after = usageOf(processes);
  const paced = await ask(port, file, PACED_SECONDS, '-Q', String(PACED_PER_SECOND), '-v');
  const latencies = [...paced.matchAll(/^> \S+ \S+ \S+ ([\d.]+)$/gm)]
    .map(([, text]) => Number(text) * 1000)
    .sort((a, b) => a - b);
  const quantile = (q: number): number => latencies[Math.floor(latencies.length * q)] ?? Number.NaN;
  return {
    cpuMicrosPerRequest: (after.cpuMicros - before.cpuMicros) / figure(full, 'Queries completed'),
    requestsPerSecond: figure(full, 'Queries per second'),
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    p999Ms: quantile(0.999),
    rssBytes: after.rssBytes,
  };
}

/** What dnsperf printed. A lost answer is a failure: loopback loses none, so the server did. */
async function ask(port: number, file: string, seconds: number, ...more: readonly string[]): Promise<string> {
  const common = ['-s', '127.0.0.1', '-p', String(port), '-d', file, '-l', String(seconds)];
  const load = ['-c', String(CLIENTS), '-q', String(OUTSTANDING), ...more];
  const output = await runPinned(LOAD_CORE, [program('dnsperf'), ...common, ...load]);
  const lost = figure(output, 'Queries lost');
  if (lost > 0) throw new Error(`dnsperf: ${lost} questions without an answer on port ${port}`);
  return output;
}

function figure(output: string, name: string): number {
  const value = Number(new RegExp(`${name}:\\s+([\\d.]+)`).exec(output)?.[1]);
  if (Number.isNaN(value)) throw new Error(`dnsperf: no "${name}" in its output:\n${output}`);
  return value;
}
