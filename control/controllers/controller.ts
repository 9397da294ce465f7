import type { Client, ObjectRef } from '../../api/client/client.ts';
import type { KubeObject } from '../../api/kinds/kind.ts';
import { hasCode } from '../../api/meta/api-error.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { Random } from '../../kit/random.ts';
import { Workqueue, type WorkResult } from '../../kit/workqueue.ts';
import type { EventRecorder } from './events/recorder.ts';
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
  const synced = informers.synced();
  synced.catch(() => {}); // Closed before it began: the queue closes too.
  return new Workqueue({
    clock,
    random,
    concurrency: CONCURRENCY,
    work: async (key, signal) => {
      await synced;
      return await work(key, signal);
    },
    onError: (key, error, attempt) => {
      const level = hasCode(error, 409) ? 'debug' : attempt < 3 ? 'info' : 'warn';
      log[level]({ error, key, attempt }, `${name}: will try again`);
    },
  });
}

export function refOf({ metadata }: Pick<KubeObject, 'metadata'>): ObjectRef {
  return metadata.namespace === undefined
    ? { name: metadata.name }
    : { namespace: metadata.namespace, name: metadata.name };
}
