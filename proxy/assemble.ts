import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { controlSpiffeId } from '../api/meta/well-known.ts';
import type { Clock } from '../kit/clock.ts';
import type { Logger } from '../kit/log.ts';
import type { Random } from '../kit/random.ts';
import type { Bootstrap } from './bootstrap/bootstrap.ts';
import { CompiledCode } from './compiled-code.ts';
import type { ListeningSocket, Plane } from './engine.ts';
import type { IdentityHolder } from './identity-holder.ts';
import { dealSockets } from './restart/deal-sockets.ts';
import { ListeningSockets } from './socket/listening-sockets.ts';
import type { TracingSetup } from './tracing/start-tracing.ts';
import type { Tracer } from './tracing/tracer.ts';
import { AdsClient } from './xds/ads-client.ts';
import { LastGoodKeeper } from './xds/last-good-keeper.ts';

export interface Shared {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** What a proxy's process is made of beside its identity; nothing of it has begun yet. */
export interface Parts {
  readonly engine: Plane;
  readonly lastGood: LastGoodKeeper;
  readonly code: CompiledCode;
  readonly ads: AdsClient;
}

export interface Given {
  readonly workers: number;
  readonly source: Pick<IdentityHolder, 'current'>;
  /** Sockets that listen already, of the process before. */
  readonly takenOver: readonly ListeningSocket[];
}

export async function assemble(
  bootstrap: Bootstrap,
  { workers, source, takenOver }: Given,
  shared: Shared,
): Promise<Parts> {
  const { trustDomain, namespace, nodeId, stateFolder } = bootstrap;
  const { clock, random, log } = shared;
  const engine = await createPlane(bootstrap, workers, takenOver, shared);
  const lastGood = new LastGoodKeeper(join(stateFolder, 'last-good.json'), clock, log);
  const code = new CompiledCode(clock);
  const ads = new AdsClient({
    address: bootstrap.xdsAddress,
    node: { id: nodeId, cluster: namespace, userAgentName: 'tutti', userAgentVersion: ownVersion() },
    variant: bootstrap.xdsVariant,
    controlSpiffeId: controlSpiffeId(trustDomain),
    identity: () => source.current(),
    engine,
    clock,
    random,
    log,
    restore: () => lastGood.read(),
    onGood: (raw) => {
      lastGood.keep(raw);
      code.works();
    },
  });
  return { engine, lastGood, code, ads };
}

/** One engine in this thread, or one in each worker's: what one worker does not need is not loaded for it. */
async function createPlane(
  bootstrap: Bootstrap,
  workers: number,
  takenOver: readonly ListeningSocket[],
  shared: Shared,
): Promise<Plane> {
  const { nodeId, logLevel } = bootstrap;
  const tracing = tracingOf(bootstrap);
  if (workers > 1) {
    const { Crew } = await import('./workers/crew.ts');
    return new Crew({ ...shared, workers, logLevel, component: nodeId, takenOver, tracing });
  }
  const { createEngine } = await import('./data-plane.ts');
  // Standard output is the access log's alone.
  const accessLog = { format: 'json', sink: (lines: string) => void process.stdout.write(lines) } as const;
  const [own] = dealSockets(takenOver, 1);
  const tracer = tracing === undefined ? {} : { tracer: await startTracer(tracing, shared) };
  return createEngine({
    ...shared,
    accessLog,
    sockets: new ListeningSockets(own === undefined ? {} : { takenOver: own }),
    ...tracer,
  });
}

function tracingOf({ tracing, namespace, name, mode }: Bootstrap): TracingSetup | undefined {
  if (tracing === undefined) return undefined;
  const headers = process.env['OTEL_EXPORTER_OTLP_HEADERS'];
  return { ...tracing, namespace, name, mode, headers, version: ownVersion() };
}

/** What makes and sends spans is loaded only where there is a collector. */
async function startTracer(tracing: TracingSetup, shared: Shared): Promise<Tracer> {
  const { startTracing } = await import('./tracing/start-tracing.ts');
  return startTracing(tracing, shared);
}

/** From package.json, which lies one folder up, or two in the published package, three when bundled. */
function ownVersion(): string {
  for (const up of ['..', join('..', '..'), join('..', '..', '..')]) {
    try {
      const { version } = JSON.parse(readFileSync(join(import.meta.dirname, up, 'package.json'), 'utf8')) as {
        version: string;
      };
      return version;
    } catch {
      // Not there: look further up.
    }
  }
  return '';
}
