import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { median } from '../kit/median.ts';

export interface Figures {
  readonly cpuMicrosPerRequest: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly rssBytes: number;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  /** Average of the last minute: others may work there too, and dear code then pays more for cold caches than cheap code. */
  readonly load: number;
}

export interface ScenarioResult {
  readonly scenario: string;
  readonly machine: Machine;
  readonly rounds: number;
  /** Medians, and each round's figures. */
  readonly proxies: Readonly<Record<string, Figures & { readonly perRound: readonly Figures[] }>>;
}

export function summarize(scenario: string, rounds: ReadonlyMap<string, readonly Figures[]>): ScenarioResult {
  const proxies = [...rounds].map(([name, perRound]) => [name, { ...medians(perRound), perRound }] as const);
  return {
    scenario,
    machine: machine(),
    rounds: Math.max(...[...rounds.values()].map((perRound) => perRound.length)),
    proxies: Object.fromEntries(proxies),
  };
}

/** What the CPU column counts where it is not a request: so many requests are one of it. */
export interface Unit {
  readonly name: string;
  readonly requests: number;
}

const REQUEST: Unit = { name: 'request', requests: 1 };

/** The table that a person reads: Tutti first, and its ratio to each peer. */
export function table(result: ScenarioResult, unit: Unit = REQUEST): string {
  const rows = Object.entries(result.proxies).map(([name, figures]) =>
    [
      name.padEnd(12),
      readable(figures.cpuMicrosPerRequest * unit.requests).padStart(10),
      readable(figures.requestsPerSecond / unit.requests).padStart(8),
      figures.p50Ms.toFixed(2).padStart(8),
      figures.p99Ms.toFixed(2).padStart(8),
      figures.p999Ms.toFixed(2).padStart(8),
      (figures.rssBytes / 1024 / 1024).toFixed(0).padStart(6),
      `${ratio(result, name).toFixed(2)} ×`.padStart(10),
    ].join(' '),
  );
  const head = 'proxy            CPU µs     rate   p50 ms   p99 ms p99.9 ms RSS MB  tutti/it';
  const { cpu, load } = result.machine;
  const about = `CPU per ${unit.name}, ${unit.name}s per second`;
  return `${result.scenario}: ${cpu}, machine load ${load.toFixed(1)}, ${result.rounds} rounds, medians; ${about}\n${head}\n${rows.join('\n')}\n`;
}

/** Tutti's CPU to another's: the median of the rounds' ratios, because neighbours in time have the same noise. */
function ratio({ proxies }: ScenarioResult, name: string): number {
  const mine = proxies['tutti']?.perRound ?? [];
  const theirs = proxies[name]?.perRound ?? [];
  return median(mine.map((each, at) => each.cpuMicrosPerRequest / (theirs[at]?.cpuMicrosPerRequest ?? Number.NaN)));
}

export function readable(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}

/** Writes `results/<name>.json`; gives its path. */
export function write(name: string, json: object): string {
  const folder = join(import.meta.dirname, 'results');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.json`);
  writeFileSync(file, `${JSON.stringify(json, null, 2)}\n`);
  return file;
}

export function machine(): Machine {
  const [cpu] = cpus();
  const [load = 0] = loadavg();
  return { cpu: cpu?.model ?? 'unknown', cores: cpus().length, node: process.version, load };
}

function medians(rounds: readonly Figures[]): Figures {
  const of = (read: (figures: Figures) => number): number => median(rounds.map(read));
  return {
    cpuMicrosPerRequest: of((figures) => figures.cpuMicrosPerRequest),
    requestsPerSecond: of((figures) => figures.requestsPerSecond),
    p50Ms: of((figures) => figures.p50Ms),
    p99Ms: of((figures) => figures.p99Ms),
    p999Ms: of((figures) => figures.p999Ms),
    rssBytes: of((figures) => figures.rssBytes),
  };
}
