import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROXY_NODE_FLAGS, PROXY_START_FLAGS, proxyCommand } from '../cli/process/proxy-command.ts';
import { median } from '../kit/median.ts';
import { bundleProxy } from '../tools/bundle-proxy.ts';
import { OWN_ADDRESS, OWN_POD, TRUST_DOMAIN } from './mesh/own-pod.ts';
import { IDLE_PEERS } from './peers/idle-sidecar.ts';
import { type Pinned, startPinned, stop, usageOf } from './proxy-process.ts';
import { machine } from './result.ts';
import { type Options, type Report, ROUNDS, type Scenario } from './scenario.ts';
import { freePorts, LOAD_CORE, type Peer, SERVER_CORE } from './side-by-side.ts';

const SERVICES = 100;
/** What was needed for the start alone has gone by then. */
const SETTLE_MS = 5000;
const READY_WITHIN_MS = 20_000;
/** Agents ask every 50 ms. Asked every 2 ms, a sidecar spent 18 ms of its start on saying that it is not ready. */
const ASK_EVERY_MS = 10;

/**
 * A sidecar as an agent starts it, from spawn until `/ready` answers 200: it fetches its identity over the Workload API and 100
 * services over xDS, and binds their listeners. The peers read a file and are ready.
 */
export const start: Scenario = {
  name: 'start',
  about: `from start to ready, and memory when idle, ${SERVICES} services in reach`,
  run,
};

interface Round {
  readonly readyMs: number;
  readonly cpuMs: number;
  readonly rssBytes: number;
}

async function run(options: Options): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-bench-'));
  const script = join(import.meta.dirname, 'mesh', 'start-process.ts');
  const mesh = startPinned(LOAD_CORE, [process.execPath, script, folder, String(SERVICES)]);
  try {
    const ended = once(mesh.child, 'close').then(() => {
      throw new Error(`the control plane ended: ${mesh.output()}`);
    });
    await Promise.race([once(mesh.child.stdout ?? mesh.child, 'data'), ended]);
    ended.catch(() => undefined);
    const xdsPort = Number(mesh.output());
    const [port = 0] = await freePorts(1);
    await bundleProxy(join(folder, 'bundle'));
    for (const program of [published(folder), proxyCommand()]) {
      const warmUp = tutti({ name: 'warm-up', folder, program, cache: 'cache', xdsPort, port });
      if (!('missing' in warmUp)) await measure(warmUp.command, port, 0);
    }
    const rounds = new Map<string, Round[]>();
    const total = options.rounds ?? ROUNDS;
    for (let round = 1; round <= total; round++) {
      for (const setUp of contenders(folder, xdsPort, round, options)) {
        const [port = 0] = await freePorts(1);
        const peer = setUp(port);
        if ('missing' in peer) {
          if (round === 1) options.say(`${peer.name}: not installed, left out (${peer.missing})`);
          continue;
        }
        const figures = await measure(peer.command, port, SETTLE_MS);
        rounds.set(peer.name, [...(rounds.get(peer.name) ?? []), figures]);
        options.say(
          `round ${round}/${total} ${peer.name}: ready in ${figures.readyMs.toFixed(0)} ms, ${mb(figures.rssBytes)} MB`,
        );
      }
    }
    return report(rounds);
  } finally {
    await stop(mesh);
    rmSync(folder, { recursive: true, force: true });
  }
}

function contenders(folder: string, xdsPort: number, round: number, options: Options): ((port: number) => Peer)[] {
  const peers = IDLE_PEERS.map((setUp) => (port: number) => setUp({ folder, port, services: SERVICES }));
  const own = (name: string, program: readonly string[], cache: string) => (port: number) =>
    tutti({ name, folder, program, cache, xdsPort, port });
  // The agent's proxies share a cache of compiled code; the first on a node finds it empty.
  const all = [
    own('tutti-first', published(folder), `cache-${round}`),
    own('tutti', published(folder), 'cache'),
    own('tutti-sources', proxyCommand(), 'cache'),
    ...peers,
  ];
  return options.peers === undefined ? all : all.slice(0, 3);
}

/** As the package has it, in few files. */
function published(folder: string): readonly string[] {
  return [process.execPath, ...PROXY_NODE_FLAGS, ...PROXY_START_FLAGS, join(folder, 'bundle', 'main.js')];
}

interface Own {
  readonly name: string;
  readonly folder: string;
  readonly program: readonly string[];
  readonly cache: string;
  readonly xdsPort: number;
  readonly port: number;
}

function tutti({ name, folder, program, cache, xdsPort, port }: Own): Peer {
  const file = join(folder, 'bootstrap.json');
  writeFileSync(
    file,
    JSON.stringify({
      mode: 'sidecar',
      nodeId: `sidecar/default/${OWN_POD}`,
      namespace: 'default',
      name: OWN_POD,
      serviceAccount: 'default',
      trustDomain: TRUST_DOMAIN,
      podAddress: OWN_ADDRESS,
      workloadApi: `unix://${join(folder, 'workload.sock')}`,
      xdsAddress: `127.0.0.1:${xdsPort}`,
      admin: { address: '127.0.0.1', port },
      stateFolder: join(folder, 'state', `${name}-${port}`),
      logLevel: 'info',
    }),
  );
  const env = ['env', `NODE_COMPILE_CACHE=${join(folder, cache)}`];
  return { name, command: [...env, ...program, '--bootstrap', file] };
}

async function measure(command: readonly string[], port: number, settleMs: number): Promise<Round> {
  const began = performance.now();
  const started = startPinned(SERVER_CORE, command);
  try {
    while (!(await isReady(port))) {
      if (started.child.exitCode !== null || performance.now() - began > READY_WITHIN_MS) {
        throw new Error(`"${command.join(' ')}": was not ready: ${started.output()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
    }
    const readyMs = performance.now() - began;
    const cpuMs = cpuOf(started);
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    return { readyMs, cpuMs, rssBytes: usageOf([started]).rssBytes };
  } finally {
    await stop(started);
  }
}

function cpuOf(started: Pinned): number {
  return usageOf([started]).cpuMicros / 1000;
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const sent = http.get({ host: '127.0.0.1', port, path: '/ready', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    sent.on('error', () => resolve(false));
  });
}

function report(rounds: ReadonlyMap<string, readonly Round[]>): Report {
  const proxies = [...rounds].map(([name, perRound]) => {
    const of = (read: (round: Round) => number): number => median(perRound.map(read));
    const medians = { readyMs: of((each) => each.readyMs), cpuMs: of((each) => each.cpuMs) };
    return [name, { ...medians, rssBytes: of((each) => each.rssBytes), perRound }] as const;
  });
  const rows = proxies.map(
    ([name, { readyMs, cpuMs, rssBytes }]) =>
      `${name.padEnd(13)} ${readyMs.toFixed(0).padStart(8)} ${cpuMs.toFixed(0).padStart(8)} ${mb(rssBytes).padStart(8)}`,
  );
  return {
    name: 'start',
    text: `start: ${SERVICES} services, medians\nproxy         ready ms   CPU ms   RSS MB\n${rows.join('\n')}\n`,
    json: { scenario: 'start', machine: machine(), services: SERVICES, proxies: Object.fromEntries(proxies) },
  };
}

function mb(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}
