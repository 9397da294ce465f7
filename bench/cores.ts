import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from '../kit/median.ts';
import { makeCertificates } from './certificates.ts';
import type { LoadOutcome } from './load/outcome.ts';
import { runLoad, type Watch } from './load-process.ts';
import { measure } from './measure.ts';
import { PLAIN } from './peers/job.ts';
import { PEERS } from './peers/peers.ts';
import { listening, type Pinned, startPinned, stop } from './proxy-process.ts';
import { type Figures, machine, summarize, table } from './result.ts';
import { type Options, type Report, ROUNDS, type Scenario } from './scenario.ts';
import { freePorts, LOAD_CORE, SERVER_CORE } from './side-by-side.ts';

const UPSTREAMS = 3;
/** What one worker carries with half of its core to spare, beside a load generator that needs the other core. */
const REQUESTS_PER_SECOND = 4000;
/** The kernel deals out connections by chance: of so many a worker has 40 to 60 % in 99.8 of 100 runs. */
const CONNECTIONS = 256;
/** For each worker: threads share no compiled code, so that each must have carried what makes one warm (30,000 requests). */
const WARM_UP_MS = 7500;

/**
 * The same steady load on one worker and on two, on the same cores: what a second worker costs, and how even the kernel's deal is; nginx
 * with one and two says what the machine asks for it. It is no measure of what two cores carry: the load needs one of them.
 */
export const cores: Scenario = {
  name: 'cores',
  about: `one and two workers at ${REQUESTS_PER_SECOND} requests/s, open loop, ${CONNECTIONS} connections`,
  run,
};

interface Contender {
  readonly name: string;
  readonly workers: number;
  readonly port: number;
  /** Of ours: says which worker had what. */
  readonly adminPort: number | undefined;
  readonly process: Pinned;
}

const CONTENDERS = [
  { name: 'tutti', peer: 'tutti', workers: 1 },
  { name: 'tutti-2', peer: 'tutti', workers: 2 },
  { name: 'nginx', peer: 'nginx', workers: 1 },
  { name: 'nginx-2', peer: 'nginx', workers: 2 },
] as const;

async function run(options: Options): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-bench-'));
  const ports = await freePorts(UPSTREAMS + 2 * CONTENDERS.length);
  const upstreams = ports.slice(0, UPSTREAMS).map((port) => ({ address: '127.0.0.1', port }));
  const script = join(import.meta.dirname, 'load', 'upstream.ts');
  const addresses = upstreams.map(({ address, port }) => `${address}:${port}`);
  const upstream = startPinned(LOAD_CORE, [process.execPath, script, ...addresses]);
  const contenders: Contender[] = [];
  try {
    const certificates = await makeCertificates(folder);
    await listening(upstream, ports[UPSTREAMS - 1] ?? 0);
    for (const [at, { name, peer, workers }] of CONTENDERS.entries()) {
      const [port = 0, adminPort = 0] = ports.slice(UPSTREAMS + 2 * at);
      const job = { ...PLAIN, folder, port, upstreams, certificates };
      const started = PEERS[peer]({ ...job, workers, adminPort });
      if ('missing' in started) {
        options.say(`${name}: not installed, left out (${started.missing})`);
        continue;
      }
      const process = startPinned(`${LOAD_CORE},${SERVER_CORE}`, started.command);
      contenders.push({ name, workers, port, adminPort: peer === 'tutti' ? adminPort : undefined, process });
      await listening(process, port);
    }
    for (const { workers, port } of contenders) await load(port, WARM_UP_MS * workers);
    const rounds = new Map<string, Figures[]>();
    const shares: number[] = [];
    const total = options.rounds ?? ROUNDS;
    for (let turn = 1; turn <= total; turn++) {
      for (const contender of contenders) {
        const { figures, share } = await round(contender, options.roundMs);
        rounds.set(contender.name, [...(rounds.get(contender.name) ?? []), figures]);
        const split = share === undefined ? '' : `, first worker ${(share * 100).toFixed(0)} %`;
        if (share !== undefined && contender.workers > 1) shares.push(share);
        options.say(
          `round ${turn}/${total} ${contender.name}: ${figures.cpuMicrosPerRequest.toFixed(1)} µs/request, p99 ${figures.p99Ms.toFixed(1)} ms${split}`,
        );
      }
    }
    const result = { ...summarize('cores', rounds), machine: machine(), firstWorkersShare: shares };
    const split = `of the load of two, the first worker had ${shares.map((share) => `${(share * 100).toFixed(0)} %`).join(', ')}; median ${(median(shares) * 100).toFixed(0)} %`;
    const costs = ['tutti', 'nginx'].flatMap((name) => costOfTwo(name, rounds));
    return { name: 'cores', text: `${table(result)}${[...costs, split].join('\n')}\n`, json: result };
  } finally {
    for (const { process } of contenders) await stop(process);
    await stop(upstream);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The median of the rounds' ratios, so that a noisy moment hits both; nothing where they did not run. */
function costOfTwo(name: string, rounds: ReadonlyMap<string, readonly Figures[]>): string[] {
  const two = rounds.get(`${name}-2`);
  const ratios = rounds
    .get(name)
    ?.map((one, at) => (two?.[at]?.cpuMicrosPerRequest ?? Number.NaN) / one.cpuMicrosPerRequest);
  return ratios === undefined ? [] : [`${name}: two workers take ${median(ratios).toFixed(2)} × the CPU of one`];
}

function load(port: number, durationMs: number, watch?: Watch): Promise<LoadOutcome> {
  const spec = { port, durationMs, connections: CONNECTIONS, requestsPerSecond: REQUESTS_PER_SECOND };
  return runLoad([process.execPath, join(import.meta.dirname, 'load', 'open-loop.ts'), JSON.stringify(spec)], watch);
}

async function round(
  { name, port, adminPort, process }: Contender,
  durationMs: number,
): Promise<{ readonly figures: Figures; readonly share: number | undefined }> {
  const before = await requestsOf(adminPort);
  const figures = await measure({ name, port, processes: [process] }, (to, watch) => load(to, durationMs, watch));
  const after = await requestsOf(adminPort);
  const each = after.map((requests, at) => requests - (before[at] ?? 0));
  const [first] = each;
  return {
    figures,
    share: first === undefined ? undefined : first / each.reduce((sum, requests) => sum + requests, 0),
  };
}

/** By worker; of a peer nobody knows. */
async function requestsOf(adminPort: number | undefined): Promise<readonly number[]> {
  if (adminPort === undefined) return [];
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  return [...text.matchAll(/^tutti_worker_requests_total\{worker="\d+"\} (\d+)$/gm)].map((match) => Number(match[1]));
}
