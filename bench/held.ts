import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from '../kit/median.ts';
import { makeCertificates } from './certificates.ts';
import { PLAIN } from './peers/job.ts';
import { PEERS, type PeerName } from './peers/peers.ts';
import { listening, startPinned, stop, usageOf } from './proxy-process.ts';
import { machine } from './result.ts';
import type { Options, Report, Scenario } from './scenario.ts';
import { freePorts, LOAD_CORE, type Server, withServers } from './side-by-side.ts';

/** Connections that are opened and then held, and what they cost a proxy in memory while nothing moves. */
export interface Held {
  readonly name: string;
  readonly about: string;
  readonly connections: number;
  /** A program of load/ that takes `ADDRESS:PORT`. */
  readonly upstream: string;
  /** A program of load/ that takes `PORT CONNECTIONS`, and prints when all are as they are to be held. */
  readonly load: string;
}

const DEFAULT_ROUNDS = 3;
/** What is no longer needed has gone by then. */
const SETTLE_MS = 2000;
/** HAProxy's limit takes two descriptors a connection, and many systems give a process 20,000. */
const PEER_NAMES: readonly PeerName[] = ['tutti', 'nginx', 'envoy'];

/** The kernel's own memory is nobody's and not counted. */
export function held(plan: Held): Scenario {
  return { name: plan.name, about: plan.about, run: (options) => run(plan, options) };
}

interface Round {
  readonly bytesPerConnection: number;
  readonly rssBytes: number;
}

async function run(plan: Held, options: Options): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-bench-'));
  const ports = await freePorts(1);
  const upstreams = ports.map((port) => ({ address: '127.0.0.1', port }));
  const upstream = startPinned(LOAD_CORE, [process.execPath, load(plan.upstream), `127.0.0.1:${ports[0]}`]);
  try {
    await listening(upstream, ports[0] ?? 0);
    const certificates = await makeCertificates(folder);
    const names = PEER_NAMES.filter((name) => name === 'tutti' || (options.peers?.includes(name) ?? true));
    const rounds = new Map<string, Round[]>();
    const total = options.rounds ?? DEFAULT_ROUNDS;
    for (let round = 1; round <= total; round++) {
      // Fresh processes each time: memory that was used once is not given back.
      const peers = names.map(
        (name) => (setup: { readonly folder: string; readonly port: number }) =>
          PEERS[name]({ ...setup, ...PLAIN, upstreams, certificates }),
      );
      await withServers({ peers, say: options.say }, async (servers) => {
        for (const server of servers) {
          const figures = await measure(plan, server);
          rounds.set(server.name, [...(rounds.get(server.name) ?? []), figures]);
          options.say(`round ${round}/${total} ${server.name}: ${figures.bytesPerConnection.toFixed(0)} bytes each`);
        }
      });
    }
    return report(plan, rounds);
  } finally {
    await stop(upstream);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(plan: Held, { name, port, processes }: Server): Promise<Round> {
  const hold = (connections: number): Promise<() => Promise<void>> => open(plan.load, name, port, connections);
  // First use of code and pools is paid before.
  await (await hold(Math.ceil(plan.connections / 10)))();
  await settle();
  const before = usageOf(processes).rssBytes;
  const letGo = await hold(plan.connections);
  await settle();
  const after = usageOf(processes).rssBytes;
  await letGo();
  return { bytesPerConnection: (after - before) / plan.connections, rssBytes: after };
}

/** Gives what closes them. */
async function open(script: string, name: string, port: number, connections: number): Promise<() => Promise<void>> {
  const command = [process.execPath, load(script), String(port), String(connections)];
  const started = startPinned(LOAD_CORE, command, 'pipe');
  const ended = once(started.child, 'close').then(() => {
    throw new Error(`${name}: ${started.output()} (ulimit -n must allow some more files than there are connections)`);
  });
  await Promise.race([once(started.child.stdout ?? started.child, 'data'), ended]);
  return async () => {
    ended.catch(() => undefined);
    await stop(started);
  };
}

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}

function report(plan: Held, rounds: ReadonlyMap<string, readonly Round[]>): Report {
  const proxies = [...rounds].map(
    ([name, perRound]) =>
      [
        name,
        {
          bytesPerConnection: median(perRound.map((each) => each.bytesPerConnection)),
          rssBytes: median(perRound.map((each) => each.rssBytes)),
          perRound,
        },
      ] as const,
  );
  const rows = proxies.map(
    ([name, { bytesPerConnection, rssBytes }]) =>
      `${name.padEnd(12)} ${bytesPerConnection.toFixed(0).padStart(12)} ${(rssBytes / 1024 / 1024).toFixed(0).padStart(8)}`,
  );
  const text = `${plan.name}: ${plan.connections} connections, medians\nproxy        bytes for each   RSS MB\n${rows.join('\n')}\n`;
  const { name, connections } = plan;
  return {
    name,
    text,
    json: { scenario: name, machine: machine(), connections, proxies: Object.fromEntries(proxies) },
  };
}

function load(name: string): string {
  return join(import.meta.dirname, 'load', name);
}
