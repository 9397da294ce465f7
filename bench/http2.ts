import { join } from 'node:path';
import { h2load } from './load/h2load.ts';
import { HTTP2_PEERS } from './peers/http2-peers.ts';
import { listening, startPinned, stop, usageOf } from './proxy-process.ts';
import { type Figures, type ScenarioResult, table } from './result.ts';
import { type Options, ROUNDS, type Scenario } from './scenario.ts';
import { freePorts, LOAD_CORE, type Server, sideBySide } from './side-by-side.ts';

const WARM_UP_MS = 2000;
const CONNECTIONS = 8;
const STREAMS = 8;
const ADDRESS = '127.0.0.1';

interface Plan {
  readonly name: 'http2' | 'grpc';
  readonly about: string;
  /** A program of load/ that takes `ADDRESS:PORT...`. */
  readonly upstream: string;
}

const PLANS: readonly Plan[] = [
  { name: 'http2', about: 'HTTP/2 from the client, HTTP/1.1 to the upstreams; 100 B', upstream: 'upstream.ts' },
  { name: 'grpc', about: 'gRPC unary calls with 100 B each way, HTTP/2 on both sides', upstream: 'grpc-upstream.ts' },
];

/** Scenarios that nghttp2's h2load drives: 8 connections of 8 streams each, with prior knowledge. */
export const HTTP2_SCENARIOS: readonly Scenario[] = PLANS.map((plan) => ({
  name: plan.name,
  about: plan.about,
  run: async (options) => {
    const result = await run(plan, options);
    return { name: plan.name, text: table(result), json: result };
  },
}));

async function run({ name, upstream: program }: Plan, options: Options): Promise<ScenarioResult> {
  const upstreams = (await freePorts(3)).map((port) => ({ address: ADDRESS, port }));
  const script = join(import.meta.dirname, 'load', program);
  const written = upstreams.map(({ address, port }) => `${address}:${port}`);
  const upstream = startPinned(LOAD_CORE, [process.execPath, script, ...written]);
  const load = (port: number, durationMs: number) =>
    h2load(LOAD_CORE, port, { connections: CONNECTIONS, streams: STREAMS, durationMs, grpc: name === 'grpc' });
  const wanted = HTTP2_PEERS.filter(({ peer }) => peer === 'tutti' || (options.peers?.includes(peer) ?? true));
  try {
    for (const { port } of upstreams) await listening(upstream, port);
    return await sideBySide({
      say: options.say,
      rounds: options.rounds ?? ROUNDS,
      scenario: name,
      peers: wanted.map(
        ({ setUp }) =>
          (setup) =>
            setUp({ ...setup, upstreams, scenario: name }),
      ),
      warmUp: async (port) => void (await load(port, WARM_UP_MS)),
      measure: (server) => measure(server, options.roundMs, load),
    });
  } finally {
    await stop(upstream);
  }
}

async function measure(
  { name, port, processes }: Server,
  roundMs: number,
  load: (port: number, durationMs: number) => ReturnType<typeof h2load>,
): Promise<Figures> {
  const before = usageOf(processes);
  const { requests, failures, ...latency } = await load(port, roundMs);
  const after = usageOf(processes);
  if (failures > 0 || requests === 0) {
    const said = processes.map(({ output }) => output()).join('\n');
    throw new Error(`${name}: ${failures} of ${requests + failures} requests failed: ${said}`);
  }
  return {
    cpuMicrosPerRequest: (after.cpuMicros - before.cpuMicros) / requests,
    requestsPerSecond: (requests * 1000) / roundMs,
    ...latency,
    rssBytes: after.rssBytes,
  };
}
