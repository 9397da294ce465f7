import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';

export interface Figures {
  readonly cpuMicrosPerRequest: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly rssBytes: number;
}

export interface ScenarioResult {
  readonly scenario: string;
  readonly machine: { readonly cpu: string; readonly cores: number; readonly node: string };
  readonly rounds: number;
  /** Medians, and each round's figures. */
  readonly proxies: Readonly<Record<string, Figures & { readonly perRound: readonly Figures[] }>>;
}

export function summarize(scenario: string, rounds: ReadonlyMap<string, readonly Figures[]>): ScenarioResult {
  const proxies = [...rounds].map(([name, perRound]) => [name, { ...medians(perRound), perRound }] as const);
  const [cpu] = cpus();
  return {
    scenario,
    machine: { cpu: cpu?.model ?? 'unknown', cores: cpus().length, node: process.version },
    rounds: Math.max(...[...rounds.values()].map((perRound) => perRound.length)),
    proxies: Object.fromEntries(proxies),
  };
}

/** The table that a person reads: Tutti first, and its ratio to each peer. */
export function table(result: ScenarioResult): string {
  const tutti = result.proxies['tutti'];
  const rows = Object.entries(result.proxies).map(([name, figures]) =>
    [
      name.padEnd(12),
      figures.cpuMicrosPerRequest.toFixed(1).padStart(8),
      figures.requestsPerSecond.toFixed(0).padStart(8),
      figures.p50Ms.toFixed(2).padStart(8),
      figures.p99Ms.toFixed(2).padStart(8),
      figures.p999Ms.toFixed(2).padStart(8),
      (figures.rssBytes / 1024 / 1024).toFixed(0).padStart(6),
      tutti === undefined
        ? ''
        : `${(tutti.cpuMicrosPerRequest / figures.cpuMicrosPerRequest).toFixed(2)} ×`.padStart(10),
    ].join(' '),
  );
  const head = 'proxy          CPU µs    req/s   p50 ms   p99 ms p99.9 ms RSS MB  tutti/it';
  return `${result.scenario}: ${result.machine.cpu}, ${result.rounds} rounds, medians\n${head}\n${rows.join('\n')}\n`;
}

export function write(result: ScenarioResult): string {
  const folder = join(import.meta.dirname, 'results');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${result.scenario}.json`);
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  return file;
}

function medians(rounds: readonly Figures[]): Figures {
  const median = (read: (figures: Figures) => number): number => {
    const sorted = rounds.map(read).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? 0;
  };
  return {
    cpuMicrosPerRequest: median((figures) => figures.cpuMicrosPerRequest),
    requestsPerSecond: median((figures) => figures.requestsPerSecond),
    p50Ms: median((figures) => figures.p50Ms),
    p99Ms: median((figures) => figures.p99Ms),
    p999Ms: median((figures) => figures.p999Ms),
    rssBytes: median((figures) => figures.rssBytes),
  };
}
