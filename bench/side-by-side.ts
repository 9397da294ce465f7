import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listening, type Pinned, startPinned, stop } from './proxy-process.ts';
import { type Figures, type ScenarioResult, summarize } from './result.ts';

/** How to start one server of a scenario, or what to do to have it. */
export type Peer =
  | { readonly name: string; readonly command: readonly string[] }
  | { readonly name: string; readonly missing: string };

export interface SideBySide {
  readonly scenario: string;
  /** Each is given a folder for its configuration and the port it is to listen on. */
  readonly peers: readonly ((setup: { readonly folder: string; readonly port: number }) => Peer)[];
  readonly rounds: number;
  /** Told what happens, line by line. */
  readonly say: (line: string) => void;
  /** Before the first round: compilers and caches get warm, and pools fill. */
  readonly warmUp: (port: number) => Promise<void>;
  readonly measure: (server: Pinned, port: number) => Promise<Figures>;
}

export const LOAD_CORE = 0;
const SERVER_CORE = 1;

/**
 * Each server has one core; whatever drives it has the other. All stay up, and each round goes through all of them, so that a
 * noisy moment of the machine hits everybody.
 */
export async function sideBySide(options: SideBySide): Promise<ScenarioResult> {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-bench-'));
  const ports = await freePorts(options.peers.length);
  const running: { readonly name: string; readonly port: number; readonly process: Pinned }[] = [];
  try {
    for (const [at, setUp] of options.peers.entries()) {
      const port = ports[at] ?? 0;
      const peer = setUp({ folder, port });
      if ('missing' in peer) {
        options.say(`${peer.name}: not installed, left out (${peer.missing})`);
        continue;
      }
      const started = startPinned(SERVER_CORE, peer.command);
      running.push({ name: peer.name, port, process: started });
      await listening(started, port);
      await options.warmUp(port);
    }
    const rounds = new Map<string, Figures[]>(running.map(({ name }) => [name, []]));
    for (let round = 1; round <= options.rounds; round++) {
      for (const { name, port, process: started } of running) {
        const figures = await options.measure(started, port);
        rounds.get(name)?.push(figures);
        const cpu = figures.cpuMicrosPerRequest.toFixed(1);
        options.say(`round ${round} ${name}: ${cpu} µs/request, ${figures.requestsPerSecond.toFixed(0)} requests/s`);
      }
    }
    return summarize(options.scenario, rounds);
  } finally {
    for (const { process: started } of running) await stop(started);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Ports that are free now; taken at once by what is started next. */
export async function freePorts(count: number): Promise<number[]> {
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
