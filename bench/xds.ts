import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { machine } from './result.ts';
import type { Options, Scenario, Report as ScenarioReport } from './scenario.ts';

interface Round {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of one core, while changes came. */
  readonly cpuPercent: number;
  readonly rssBytes: number;
  readonly longestStallMs: number;
  /** All clients at once: from the first connection until the last had everything. */
  readonly allConnectedMs: number;
  /** The machine's load average of the last minute: others work there too. */
  readonly load: number;
  /** Responses that clients got and ACKed a second, while changes came and until the last was ACKed. */
  readonly responses: number;
  /** The control plane's, for a response and its ACK, all else included. */
  readonly cpuMicrosPerResponse: number;
  readonly clientsCpuPercent: number;
}

const SERVICES = 50;
const SETTLE_MS = 3000;
const LAST_ACK_MS = 60_000;
const ASK_AGAIN_MS = 500;

/**
 * 500 proxies, each with a connection of its own, in one process; API server, store and xDS server in another. Ten endpoint changes and
 * one route change a second: from the moment that the API has accepted a change until the last proxy has ACKed it.
 */
export const xds: Scenario = { name: 'xds', about: 'changes to 500 proxies, and what they cost', run };

const DEFAULT_ROUNDS = 3;

async function run(options: Options): Promise<ScenarioReport> {
  const rounds: Round[] = [];
  for (let round = 1; round <= (options.rounds ?? DEFAULT_ROUNDS); round++) {
    const figures = await oneRound(options);
    rounds.push(figures);
    options.say(`round ${round}: ${line(figures)}`);
  }
  const sorted = rounds.toSorted((left, right) => left.p99Ms - right.p99Ms);
  const middle = sorted[Math.floor(sorted.length / 2)];
  const { clients, seconds } = options;
  const text = `xds: ${clients} clients, ${rounds.length} rounds, the median by p99\n${middle === undefined ? '' : line(middle)}\n`;
  return { name: 'xds', text, json: { scenario: 'xds', machine: machine(), clients, seconds, rounds } };
}

function line(round: Round): string {
  const { p50Ms, p99Ms, cpuPercent, cpuMicrosPerResponse, rssBytes, longestStallMs, allConnectedMs } = round;
  const ms = (value: number): string => `${value.toFixed(0)} ms`;
  return [
    `change to last ACK p50 ${ms(p50Ms)}, p99 ${ms(p99Ms)}`,
    `control plane ${cpuPercent.toFixed(0)} % of a core, ${(rssBytes / 1024 / 1024).toFixed(0)} MB, longest stall ${ms(longestStallMs)}`,
    `${round.responses} responses ACKed, ${cpuMicrosPerResponse.toFixed(0)} µs each`,
    `clients ${round.clientsCpuPercent.toFixed(0)} % of a core`,
    `all connected in ${ms(allConnectedMs)}`,
    `machine load ${round.load.toFixed(1)}`,
  ].join('; ');
}

async function oneRound({ clients, seconds, profile }: Options): Promise<Round> {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-bench-xds-'));
  const control = fork(script('control-process.ts'), [String(clients), String(SERVICES), folder]);
  const proxies = fork(script('client-process.ts'), [String(clients)]);
  try {
    const server = await message<{ readonly port: number }>(control);
    const began = performance.timeOrigin + performance.now();
    proxies.send(server);
    const { complete } = await message<{ readonly complete: number }>(proxies);
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    proxies.send('begin');
    control.send({ seconds, profile });
    const cost = await message<
      Pick<Round, 'cpuPercent' | 'rssBytes' | 'longestStallMs'> & {
        readonly accepted: Readonly<Record<string, number>>;
      }
    >(control);
    const { acked, responses, cpuMs } = await ackedByAll(proxies, Object.keys(cost.accepted), clients);
    const took = Object.entries(cost.accepted).map(([key, acceptedMs]) => (acked[key]?.atMs ?? Infinity) - acceptedMs);
    control.send('cost');
    const { cpuMs: controlCpuMs } = await message<{ readonly cpuMs: number }>(control);
    took.sort((left, right) => left - right);
    const at = (share: number): number => took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? 0;
    const { cpuPercent, rssBytes, longestStallMs } = cost;
    const [load = 0] = loadavg();
    return {
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      cpuPercent,
      rssBytes,
      longestStallMs,
      allConnectedMs: complete - began,
      load,
      responses,
      cpuMicrosPerResponse: (controlCpuMs * 1000) / responses,
      clientsCpuPercent: cpuMs / 10 / seconds,
    };
  } finally {
    await Promise.all([stop(control), stop(proxies)]);
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Report {
  readonly acked: Readonly<Record<string, { readonly atMs: number; readonly count: number }>>;
  readonly responses: number;
  readonly cpuMs: number;
}

/** Asks until every client has ACKed every change. */
async function ackedByAll(proxies: ChildProcess, keys: readonly string[], clients: number): Promise<Report> {
  const until = performance.now() + LAST_ACK_MS;
  for (;;) {
    proxies.send('report');
    const report = await message<Report>(proxies);
    const { acked } = report;
    const missing = keys.find((key) => acked[key]?.count !== clients);
    if (missing === undefined) return report;
    if (performance.now() > until)
      throw new Error(`change "${missing}": ACKed by ${acked[missing]?.count ?? 0} of ${clients} clients`);
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
  }
}

async function message<T>(child: ChildProcess): Promise<T> {
  const enough = new AbortController();
  const { signal } = enough;
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`"${child.spawnargs.join(' ')}" ended with ${String(code)}`);
  });
  try {
    const [value] = (await Promise.race([once(child, 'message', { signal }), ended])) as [T];
    return value;
  } finally {
    enough.abort();
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

function script(name: string): string {
  return join(import.meta.dirname, 'mesh', name);
}
