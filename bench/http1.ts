import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PEERS, type Peer } from './peers/peers.ts';
import { listening, type Pinned, runPinned, startPinned, stop, usage } from './proxy-process.ts';
import { type Figures, type ScenarioResult, summarize } from './result.ts';

export interface Http1Options {
  readonly rounds: number;
  readonly roundMs: number;
  readonly connections: number;
  /** Told what happens, line by line. */
  readonly say: (line: string) => void;
}

const LOAD_CORE = 0;
const PROXY_CORE = 1;
/** Before the first round: compilers and caches get warm, and pools fill. */
const WARM_UP_MS = 2000;

/**
 * HTTP/1.1 keep-alive, 100 B, three upstreams. Each proxy has one core; load and upstreams share the other. All proxies stay up,
 * and each round goes through all of them, so that a noisy moment of the machine hits everybody.
 */
export async function http1(options: Http1Options): Promise<ScenarioResult> {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-bench-'));
  const [upstreamOne = 0, upstreamTwo = 0, upstreamThree = 0, ...ports] = await freePorts(3 + PEERS.length);
  const upstreamPorts = [upstreamOne, upstreamTwo, upstreamThree];
  const running: { readonly peer: Peer; readonly port: number; readonly process: Pinned }[] = [];
  const upstream = startPinned(LOAD_CORE, [process.execPath, script('upstream.ts'), ...upstreamPorts.map(String)]);
  try {
    await listening(upstream, upstreamThree);
    for (const [at, setUp] of PEERS.entries()) {
      const port = ports[at] ?? 0;
      const peer = setUp({ folder, port, upstreamPorts });
      if ('missing' in peer) {
        options.say(`${peer.name}: not installed, left out (${peer.missing})`);
        continue;
      }
      const started = startPinned(PROXY_CORE, peer.command);
      running.push({ peer, port, process: started });
      await listening(started, port);
      await load(port, options.connections, WARM_UP_MS);
    }
    const rounds = new Map<string, Figures[]>(running.map(({ peer }) => [peer.name, []]));
    for (let round = 1; round <= options.rounds; round++) {
      for (const { peer, port, process: started } of running) {
        const figures = await measure(started, port, options);
        rounds.get(peer.name)?.push(figures);
        const cpu = figures.cpuMicrosPerRequest.toFixed(1);
        options.say(
          `round ${round} ${peer.name}: ${cpu} µs/request, ${figures.requestsPerSecond.toFixed(0)} requests/s`,
        );
      }
    }
    return summarize('http1', rounds);
  } finally {
    for (const { process: started } of running) await stop(started);
    await stop(upstream);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(proxy: Pinned, port: number, options: Http1Options): Promise<Figures> {
  const pid = proxy.child.pid ?? 0;
  const before = usage(pid);
  const outcome = await load(port, options.connections, options.roundMs);
  const after = usage(pid);
  if (outcome.failures > 0) throw new Error(`load: ${outcome.failures} requests failed: ${proxy.output()}`);
  return {
    cpuMicrosPerRequest: (after.cpuMicros - before.cpuMicros) / outcome.requests,
    requestsPerSecond: (outcome.requests * 1000) / options.roundMs,
    p50Ms: outcome.p50Ms,
    p99Ms: outcome.p99Ms,
    p999Ms: outcome.p999Ms,
    rssBytes: after.rssBytes,
  };
}

interface LoadOutcome {
  readonly requests: number;
  readonly failures: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
}

async function load(port: number, connections: number, durationMs: number): Promise<LoadOutcome> {
  const command = [process.execPath, script('closed-loop.ts'), String(port), String(connections), String(durationMs)];
  return JSON.parse(await runPinned(LOAD_CORE, command)) as LoadOutcome;
}

function script(name: string): string {
  return join(import.meta.dirname, 'load', name);
}

/** Ports that are free now; taken at once by what is started next. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = net.createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
