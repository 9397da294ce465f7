import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { watchHoldUps } from '../../support/hold-ups.ts';
import { usage } from '../../support/process-usage.ts';
import type { Attack } from './attacks.ts';

export interface Figures {
  readonly attack: string;
  readonly clients: number;
  /** Clients that the proxy threw out meanwhile; each came again. */
  readonly ended: number;
  readonly rssBeforeBytes: number;
  readonly rssPeakBytes: number;
  /** Share of one core. */
  readonly cpu: number;
  readonly neighbours: {
    readonly asked: number;
    readonly failed: number;
    readonly p50Ms: number;
    readonly p99Ms: number;
    readonly maxMs: number;
  };
}

const LARGE = Buffer.alloc(256 * 1024);
const LARGE_TIMES = 64;
const LEAST_ASKED = 10;

/** What stands behind the proxy: `/large` is 16 MB, `/medium` 16 KB, `/stuck` reads no body, everything else a few bytes. */
async function startApp(): Promise<http.Server> {
  const server = http.createServer((request, response) => {
    if (request.url === '/stuck') return;
    if (request.url !== '/large') {
      request.resume().on('end', () => response.end(request.url === '/medium' ? LARGE.subarray(0, 16 * 1024) : 'ok\n'));
      return;
    }
    let left = LARGE_TIMES;
    const more = (): void => {
      while (left-- > 0) if (!response.write(LARGE)) return;
      response.end();
    };
    response.on('drain', more);
    more();
  });
  server.on('clientError', (_, socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
  return server;
}

/** A neighbour asks again and again, one request after the other, half of them on a connection of their own. */
async function ask(port: number, agent: http.Agent | false): Promise<boolean> {
  return new Promise((resolve) => {
    const request = http.get({ port, host: '127.0.0.1', path: '/neighbour', agent, timeout: 10_000 }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode === 200));
      response.on('error', () => resolve(false));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

type Child = ChildProcessByStdio<Writable, Readable, null>;

function start(script: string, given: readonly (string | number)[]): Child {
  const path = join(import.meta.dirname, script);
  return spawn(process.execPath, [path, ...given.map(String)], { stdio: ['pipe', 'pipe', 'inherit'] });
}

async function firstNumber(child: Child): Promise<number> {
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return Number(line.toString());
}

async function end(child: Child): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'close');
  child.kill('SIGKILL');
  await gone;
}

export interface Pace {
  readonly forMs: number;
  /** How long the proxy waits for a head. */
  readonly headerTimeoutMs: number;
}

/** One attack on a proxy of its own, with neighbours that want to be served meanwhile. */
export async function measure(kind: Attack, wanted: number, { forMs, headerTimeoutMs }: Pace): Promise<Figures> {
  const clients = Math.min(wanted, kind.atMost);
  const app = await startApp();
  const children: Child[] = [];
  const run = (script: string, given: readonly (string | number)[]): Child => {
    const child = start(script, given);
    children.push(child);
    return child;
  };
  const proxy = run('proxy-process.ts', [(app.address() as AddressInfo).port, headerTimeoutMs, kind.maxRequests]);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  try {
    const port = await firstNumber(proxy);
    const pid = proxy.pid ?? 0;
    // A first request loads what is loaded late.
    await ask(port, agent);
    const before = usage(pid);
    let rssPeakBytes = before.rssBytes;
    const attackers = run('attack-process.ts', [kind.name, port, clients]);
    await firstNumber(attackers);
    const started = performance.now();
    const atStart = usage(pid);
    const times: number[] = [];
    let failed = 0;
    const holdUps = watchHoldUps();
    // On a machine that is held up for that long, until some have been asked all the same.
    for (let turn = 0; performance.now() - started < forMs || turn < LEAST_ASKED; turn++) {
      const asked = performance.now();
      // A neighbour that was itself held up between its connection and its request for most of the time that it has is none that was not served.
      for (let heldMs = holdUps.ms; !(await ask(port, turn % 2 === 0 ? agent : false)); heldMs = holdUps.ms) {
        if (holdUps.ms - heldMs > headerTimeoutMs / 2) continue;
        failed++;
        break;
      }
      times.push(performance.now() - asked);
      if (turn % 10 === 0) rssPeakBytes = Math.max(rssPeakBytes, usage(pid).rssBytes);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    holdUps.stop();
    const after = usage(pid);
    const tookMs = performance.now() - started;
    attackers.stdin.end();
    const ended = await firstNumber(attackers);
    times.sort((a, b) => a - b);
    return {
      attack: kind.name,
      clients,
      ended,
      rssBeforeBytes: before.rssBytes,
      rssPeakBytes: Math.max(rssPeakBytes, after.rssBytes),
      cpu: (after.cpuMicros - atStart.cpuMicros) / 1000 / tookMs,
      neighbours: {
        asked: times.length,
        failed,
        p50Ms: percentile(times, 0.5),
        p99Ms: percentile(times, 0.99),
        maxMs: times.at(-1) ?? 0,
      },
    };
  } finally {
    agent.destroy();
    await Promise.all(children.map(end));
    app.closeAllConnections();
    app.close();
  }
}

const mb = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(0)} MB`;

export function sentence(figures: Figures): string {
  const { neighbours } = figures;
  return (
    `${figures.clients} × ${figures.attack}: RSS ${mb(figures.rssBeforeBytes)} → ${mb(figures.rssPeakBytes)} ` +
    `(${((figures.rssPeakBytes - figures.rssBeforeBytes) / figures.clients / 1024).toFixed(1)} KB each), CPU ${(figures.cpu * 100).toFixed(0)} % of a core, ` +
    `${figures.ended} thrown out; neighbours: ${neighbours.asked} asked, ${neighbours.failed} failed, ` +
    `p50 ${neighbours.p50Ms.toFixed(1)} ms, p99 ${neighbours.p99Ms.toFixed(1)} ms, max ${neighbours.maxMs.toFixed(0)} ms`
  );
}
