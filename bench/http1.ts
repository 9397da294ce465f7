import { join } from 'node:path';
import { PEERS } from './peers/peers.ts';
import { listening, type Pinned, runPinned, startPinned, stop, usage } from './proxy-process.ts';
import type { Figures, ScenarioResult } from './result.ts';
import { freePorts, LOAD_CORE, sideBySide } from './side-by-side.ts';

export interface Http1Options {
  readonly rounds: number;
  readonly roundMs: number;
  readonly connections: number;
  /** Told what happens, line by line. */
  readonly say: (line: string) => void;
}

const WARM_UP_MS = 2000;

/** HTTP/1.1 keep-alive, 100 B, three upstreams, which share the load's core. */
export async function http1(options: Http1Options): Promise<ScenarioResult> {
  const upstreamPorts = await freePorts(3);
  const upstream = startPinned(LOAD_CORE, [process.execPath, script('upstream.ts'), ...upstreamPorts.map(String)]);
  try {
    await listening(upstream, upstreamPorts[2] ?? 0);
    return await sideBySide({
      ...options,
      scenario: 'http1',
      peers: PEERS.map((setUp) => (setup) => setUp({ ...setup, upstreamPorts })),
      warmUp: async (port) => void (await load(port, options.connections, WARM_UP_MS)),
      measure: (proxy, port) => measure(proxy, port, options),
    });
  } finally {
    await stop(upstream);
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
