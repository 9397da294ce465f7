import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Certificates, makeCertificates } from './certificates.ts';
import { startCollector } from './load/collector.ts';
import type { LoadOutcome } from './load/outcome.ts';
import { runLoad, type Watch } from './load-process.ts';
import { measure } from './measure.ts';
import { type Job, PLAIN, type Upstream } from './peers/job.ts';
import { PEERS, type PeerName } from './peers/peers.ts';
import { listening, startPinned, stop } from './proxy-process.ts';
import { table, type Unit } from './result.ts';
import { type Options, type Report, ROUNDS, type Scenario } from './scenario.ts';
import { freePorts, LOAD_CORE, type Peer, sideBySide } from './side-by-side.ts';

/** A peer in a scenario, perhaps at another job than the rest, and under a name that says so. */
interface Contender {
  readonly peer: PeerName;
  readonly name?: string;
  readonly job?: Partial<Pick<Job, 'routes'>>;
}

/** A scenario in which a load of its own drives proxies that all do one job. */
export interface Driven {
  readonly name: string;
  readonly about: string;
  readonly peers: readonly (PeerName | Contender)[];
  readonly job?: Partial<Pick<Job, 'front' | 'back' | 'routes' | 'protocol' | 'upstreamProtocol' | 'carries'>>;
  /** Two proxies on the way, with mTLS between them. */
  readonly hop?: 'mtls';
  /** A program of load/ that takes `ADDRESS:PORT...`. */
  readonly upstream: string;
  /** What that program is told before the addresses. */
  readonly upstreamFlags?: readonly string[];
  /** Addresses of the upstreams; three on 127.0.0.1 unless told. */
  readonly upstreamAddresses?: readonly string[];
  /** A program of load/ that takes one argument, JSON, and prints a `LoadOutcome`. */
  readonly load: string;
  readonly loadOptions: (options: Options, certificates: Certificates) => object;
  /** What a row of the table is about, where it is not a request. */
  readonly unit?: Unit;
  /** So many times the work of a small request: what warms up sooner. */
  readonly weight?: number;
}

// Compilers, caches and pools are warm after so many requests; a busy machine needs longer for them.
const WARM_UP_REQUESTS = 30_000;
const WARM_UP_MS = 1000;
const WARM_UP_TURNS = 8;
const UPSTREAMS = ['127.0.0.1', '127.0.0.1', '127.0.0.1'];

export function driven(plan: Driven): Scenario {
  return { name: plan.name, about: plan.about, run: (options) => run(plan, options) };
}

async function run(plan: Driven, options: Options): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-bench-'));
  const addresses = plan.upstreamAddresses ?? UPSTREAMS;
  const ports = await freePorts(addresses.length + plan.peers.length);
  const upstreams = addresses.map((address, at) => ({ address, port: ports[at] ?? 0 }));
  const spare = ports.slice(addresses.length);
  const collector = plan.job?.routes === 'armed' ? await startCollector() : undefined;
  const upstream = startPinned(LOAD_CORE, [
    process.execPath,
    script(plan.upstream),
    ...(plan.upstreamFlags ?? []),
    ...upstreams.map(written),
  ]);
  try {
    const certificates = await makeCertificates(folder);
    for (const { address, port } of upstreams.slice(-1)) await listening(upstream, port, address);
    const load = (port: number, durationMs: number, watch?: Watch): Promise<LoadOutcome> => {
      const spec = { ...plan.loadOptions(options, certificates), port, durationMs };
      return runLoad([process.execPath, script(plan.load), JSON.stringify(spec)], watch);
    };
    const result = await sideBySide({
      say: options.say,
      rounds: options.rounds ?? ROUNDS,
      scenario: plan.name,
      peers: contenders(plan, options).map((contender, at) => (setup) => {
        const said = { ...PLAIN, ...plan.job, ...contender.job, ...setup, upstreams, certificates };
        const job =
          collector === undefined || said.routes === 'one' ? said : { ...said, collector: placeOf(collector) };
        return setUp(contender, job, plan.hop === 'mtls' ? (spare[at] ?? 0) : undefined);
      }),
      warmUp: (port) => warmUp(plan, (durationMs) => load(port, durationMs)),
      measure: (server) => measure(server, (port, watch) => load(port, options.roundMs, watch)),
    });
    if (collector?.batches() === 0) throw new Error(`${plan.name}: no spans have come`);
    return { name: plan.name, text: table(result, plan.unit), json: result };
  } finally {
    await stop(upstream);
    await collector?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function contenders({ peers }: Driven, options: Options): Contender[] {
  const all = peers.map((each) => (typeof each === 'string' ? { peer: each } : each));
  return all.filter(({ peer }) => peer === 'tutti' || (options.peers?.includes(peer) ?? true));
}

function setUp({ peer, name = peer }: Contender, job: Job, behindPort: number | undefined): Peer {
  if (behindPort === undefined) return { ...PEERS[peer](job), name };
  const inner = PEERS[peer]({ ...job, front: 'mtls', back: 'plain', port: behindPort });
  const outer = PEERS[peer]({
    ...job,
    front: 'plain',
    back: 'mtls',
    upstreams: [{ address: '127.0.0.1', port: behindPort }],
  });
  if ('missing' in inner || 'missing' in outer) return { ...inner, name };
  return { name, command: outer.command, behind: { command: inner.command, port: behindPort } };
}

async function warmUp(plan: Driven, load: (durationMs: number) => Promise<LoadOutcome>): Promise<void> {
  const wanted = WARM_UP_REQUESTS / (plan.weight ?? 1);
  let done = 0;
  for (let turn = 0; turn < WARM_UP_TURNS && done < wanted; turn++) done += (await load(WARM_UP_MS)).requests;
}

function placeOf({ address, port }: Upstream): Upstream {
  return { address, port };
}

function written({ address, port }: Upstream): string {
  return `${address}:${port}`;
}

function script(name: string): string {
  return join(import.meta.dirname, 'load', name);
}
