import { type Backoff, backoffMs } from '../../kit/backoff.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Random } from '../../kit/random.ts';
import type { Kind, KubeObject } from '../kinds/kind.ts';
import { hasCode } from '../meta/api-error.ts';
import type { Client, ObjectRef } from './client.ts';

export interface RetriedUpdate<T extends KubeObject> {
  readonly kind: Kind<T>;
  readonly ref: ObjectRef;
  /** The object as it is to be, made from the present one without changing it; undefined when nothing is to be done. */
  readonly change: (present: T) => T | undefined;
  /** Writes the status alone. */
  readonly subresource?: 'status';
  readonly clock: Clock;
  readonly random: Random;
  readonly signal?: AbortSignal;
}

/** client-go's retry.DefaultBackoff, with jitter over the whole delay. */
const BACKOFF: Backoff = { baseMs: 10, maxMs: 500, factor: 3, jitter: 1 };
const ATTEMPTS = 6;

/**
 * Reads, changes and writes; when somebody else wrote in between (409), again from the start, six times at most. Gives
 * the object as it is then. Every other error is thrown as it comes.
 */
export async function updateWithRetry<T extends KubeObject>(client: Client, update: RetriedUpdate<T>): Promise<T> {
  const { kind, ref, change, subresource, clock, random, signal } = update;
  for (let attempt = 0; ; attempt++) {
    const present = await client.get(kind, ref);
    const wanted = change(present);
    if (wanted === undefined) return present;
    try {
      return await (subresource === 'status' ? client.updateStatus(kind, wanted) : client.update(kind, wanted));
    } catch (error) {
      if (!hasCode(error, 409) || attempt + 1 >= ATTEMPTS) throw error;
      await clock.sleep(backoffMs(attempt, BACKOFF, random), signal);
    }
  }
}
