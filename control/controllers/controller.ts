import type { Client, ObjectRef } from '../../api/client/client.ts';
import type { EventRecorder } from '../../api/client/events/event-recorder.ts';
import type { KubeObject } from '../../api/kinds/kind.ts';
import { hasCode } from '../../api/meta/api-error.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { Random } from '../../kit/random.ts';
import { Workqueue, type WorkResult } from '../../kit/workqueue.ts';
import type { SharedInformers } from './shared-informers.ts';

/** What every controller stands on. */
export interface ControllerContext {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly informers: SharedInformers;
  readonly recorder: EventRecorder;
}

/** A thing that runs until it is closed; closing resolves when nothing of it runs any more. */
export interface Running {
  close(): Promise<void>;
}

/** Objects that are worked on at once, of each controller. */
const CONCURRENCY = 8;

/**
 * A queue of object keys whose work waits until the first lists are there. A refused write (409) means that the cache
 * was behind: the next try sees more, and nobody needs to hear of it.
 */
export function startQueue(
  { informers, clock, random, log }: ControllerContext,
  name: string,
  work: (key: string, signal: AbortSignal) => Promise<WorkResult>,
): Workqueue {
  return new Workqueue({
    clock,
    random,
    concurrency: CONCURRENCY,
    work: async (key, signal) => {
      return (await untilSynced(informers, signal)) ? await work(key, signal) : undefined;
    },
    onError: (key, error, attempt) => {
      const level = hasCode(error, 409) ? 'debug' : attempt < 3 ? 'info' : 'warn';
      log[level]({ error, key, attempt }, `${name}: will try again`);
    },
  });
}

/** Waits until the first lists are there; false when it was closed before, whether or not a server ever answered. */
export async function untilSynced(informers: SharedInformers, signal: AbortSignal): Promise<boolean> {
  const closed = Promise.withResolvers<false>();
  const onAbort = (): void => closed.resolve(false);
  signal.addEventListener('abort', onAbort, { once: true });
  const synced = informers.synced().then(
    () => !signal.aborted,
    () => false,
  );
  try {
    return await Promise.race([synced, closed.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

export function refOf({ metadata }: Pick<KubeObject, 'metadata'>): ObjectRef {
  return metadata.namespace === undefined
    ? { name: metadata.name }
    : { namespace: metadata.namespace, name: metadata.name };
}
