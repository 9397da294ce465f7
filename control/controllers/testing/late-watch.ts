import type { Client, WatchEvent } from '../../../api/client/client.ts';
import type { KubeObject } from '../../../api/kinds/kind.ts';
import type { Clock } from '../../../kit/clock.ts';

/** A client whose writes and reads are as fast as ever; only what it watches comes late, in order. */
export function hearingLate(client: Client, clock: Clock, delayMs: number): Client {
  return {
    get: (kind, ref) => client.get(kind, ref),
    list: (kind, options) => client.list(kind, options),
    create: (kind, object, options) => client.create(kind, object, options),
    update: (kind, object, options) => client.update(kind, object, options),
    updateStatus: (kind, object, options) => client.updateStatus(kind, object, options),
    patch: (kind, ref, patch, options) => client.patch(kind, ref, patch, options),
    delete: (kind, ref, options) => client.delete(kind, ref, options),
    watch: (kind, options) => late(client.watch(kind, options), clock, { delayMs, signal: options.signal }),
  };
}

interface Lateness {
  readonly delayMs: number;
  readonly signal: AbortSignal;
}

async function* late<T extends KubeObject>(
  events: AsyncIterable<WatchEvent<T>>,
  clock: Clock,
  { delayMs, signal }: Lateness,
): AsyncGenerator<WatchEvent<T>> {
  const underWay: { readonly event: WatchEvent<T>; readonly dueAt: number }[] = [];
  let arrived = Promise.withResolvers<void>();
  const pump = async (): Promise<void> => {
    for await (const event of events) {
      underWay.push({ event, dueAt: clock.monotonic() + delayMs });
      arrived.resolve();
    }
  };
  const ended = pump();
  while (!signal.aborted) {
    const next = underWay.shift();
    if (next === undefined) {
      arrived = Promise.withResolvers();
      await Promise.race([arrived.promise, ended]);
    } else {
      await clock.sleep(next.dueAt - clock.monotonic(), signal).catch(() => {});
      if (!signal.aborted) yield next.event;
    }
  }
  await ended;
}
