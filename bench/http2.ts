import { join } from 'node:path';
import { h2load } from './load/h2load.ts';
import { HTTP2_PEERS } from './peers/http2-peers.ts';
import { listening, type Pinned, startPinned, stop, usage } from './proxy-process.ts';
import type { Figures, ScenarioResult } from './result.ts';
import { freePorts, LOAD_CORE, sideBySide } from './side-by-side.ts';

export interface Http2Options {
  readonly rounds: number;
  readonly roundMs: number;
  /** Told what happens, line by line. */
  readonly say: (line: string) => void;
}

const WARM_UP_MS = 2000;
const CONNECTIONS = 8;
const STREAMS = 8;

/** HTTP/2 from the client, HTTP/1.1 to three upstreams; 100 B. */
export function http2(options: Http2Options): Promise<ScenarioResult> {
  return scenario('http2', 'upstream.ts', options);
}

/** gRPC unary calls with 100 B each way: HTTP/2 on both sides, with trailers. */
export function grpc(options: Http2Options): Promise<ScenarioResult> {
  return scenario('grpc', 'grpc-upstream.ts', options);
}

async function scenario(name: 'http2' | 'grpc', server: string, options: Http2Options): Promise<ScenarioResult> {
  const upstreamPorts = await freePorts(3);
  const script = join(import.meta.dirname, 'load', server);
  const upstream = startPinned(LOAD_CORE, [process.execPath, script, ...upstreamPorts.map(String)]);
  const load = (port: number, durationMs: number) =>
    h2load(LOAD_CORE, port, { connections: CONNECTIONS, streams: STREAMS, durationMs, grpc: name === 'grpc' });
  try {
    await listening(upstream, upstreamPorts[2] ?? 0);
    return await sideBySide({
      ...options,
      scenario: name,
      peers: HTTP2_PEERS.map((setUp) => (setup) => setUp({ ...setup, upstreamPorts, scenario: name })),
      warmUp: async (port) => void (await load(port, WARM_UP_MS)),
      measure: (proxy, port) => measure(proxy, options.roundMs, (durationMs) => load(port, durationMs)),
    });
  } finally {
    await stop(upstream);
  }
}

async function measure(
  proxy: Pinned,
  roundMs: number,
  load: (durationMs: number) => ReturnType<typeof h2load>,
): Promise<Figures> {
  const pid = proxy.child.pid ?? 0;
  const before = usage(pid);
  const { requests, failures, ...latency } = await load(roundMs);
  const after = usage(pid);
  if (failures > 0 || requests === 0) {
    throw new Error(`load: ${failures} of ${requests + failures} requests failed: ${proxy.output()}`);
  }
  return {
    cpuMicrosPerRequest: (after.cpuMicros - before.cpuMicros) / requests,
    requestsPerSecond: (requests * 1000) / roundMs,
    ...latency,
    rssBytes: after.rssBytes,
  };
}
