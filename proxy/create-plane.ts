import type { Shared } from './assemble.ts';
import type { Bootstrap } from './bootstrap/bootstrap.ts';
import type { ListeningSocket, Plane } from './engine.ts';
import { ownVersion } from './own-version.ts';
import { dealSockets } from './restart/deal-sockets.ts';
import { ListeningSockets } from './socket/listening-sockets.ts';
import type { TracingSetup } from './tracing/start-tracing.ts';
import type { Tracer } from './tracing/tracer.ts';

/**
 * One engine in this thread, or one in each worker's: what one worker does not need is not loaded for it. `takenOver`: sockets that listen
 * already, of the process before.
 */
export async function createPlane(
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
  const sockets = new ListeningSockets(own === undefined ? {} : { takenOver: own });
  return createEngine({ ...shared, accessLog, sockets, ...tracer });
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
