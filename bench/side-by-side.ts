import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listening, type Pinned, startPinned, stop } from './proxy-process.ts';
import { type Figures, type ScenarioResult, summarize } from './result.ts';

/** How to start one server of a scenario, or what to do to have it. */
export type Peer =
  | {
      readonly name: string;
      readonly command: readonly string[];
      /** A second process on the way, counted with it: the other side's sidecar. */
      readonly behind?: { readonly command: readonly string[]; readonly port: number };
    }
  | { readonly name: string; readonly missing: string };

/** A peer that is up. */
export interface Server {
  readonly name: string;
  readonly port: number;
  readonly processes: readonly Pinned[];
}

export interface SideBySide {
  readonly scenario: string;
  /** Each is given a folder for its configuration and the port it is to listen on. */
  readonly peers: readonly ((setup: { readonly folder: string; readonly port: number }) => Peer)[];
  readonly rounds: number;
  /** Told what happens, line by line. */
  readonly say: (line: string) => void;
  /** Before the first round: compilers and caches get warm, and pools fill. */
  readonly warmUp: (port: number) => Promise<void>;
  readonly measure: (server: Server) => Promise<Figures>;
}

export const LOAD_CORE = 0;
export const SERVER_CORE = 1;

/**
 * Each server has one core; whatever drives it has the other. All stay up, and each round goes through all of them, so that a
 * noisy moment of the machine hits everybody.
 */
export async function sideBySide(options: SideBySide): Promise<ScenarioResult> {
  return withServers(options, async (servers) => {
    for (const { port } of servers) await options.warmUp(port);
    const rounds = new Map<string, Figures[]>(servers.map(({ name }) => [name, []]));
    for (let round = 1; round <= options.rounds; round++) {
      for (const server of servers) {
        const figures = await options.measure(server);
        rounds.get(server.name)?.push(figures);
        const cpu = figures.cpuMicrosPerRequest.toFixed(1);
        const rate = figures.requestsPerSecond.toFixed(0);
        options.say(`round ${round}/${options.rounds} ${server.name}: ${cpu} µs/request, ${rate} requests/s`);
      }
    }
    return summarize(options.scenario, rounds);
  });
}

/** Starts every peer that is installed, says which are not, and stops them all in the end. */
export async function withServers<T>(
  { peers, say }: Pick<SideBySide, 'peers' | 'say'>,
  use: (servers: readonly Server[]) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-bench-'));
  const ports = await freePorts(peers.length);
  const running: Server[] = [];
  try {
    for (const [at, setUp] of peers.entries()) {
      const port = ports[at] ?? 0;
      const peer = setUp({ folder, port });
      if ('missing' in peer) {
        say(`${peer.name}: not installed, left out (${peer.missing})`);
        continue;
      }
      const processes: Pinned[] = [];
      running.push({ name: peer.name, port, processes });
      const { command, behind } = peer;
      for (const each of [...(behind === undefined ? [] : [behind]), { command, port }]) {
        const started = startPinned(SERVER_CORE, each.command);
        processes.push(started);
        await listening(started, each.port);
      }
    }
    return await use(running);
  } finally {
    for (const { processes } of running) for (const each of processes) await stop(each);
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
