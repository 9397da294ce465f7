import type { Client } from '../../api/client/client.ts';
import { type Pod, podKind } from '../../api/kinds/pod.ts';
import type { PodCondition } from '../../api/kinds/pod-status.ts';
import { hasCode } from '../../api/meta/api-error.ts';
import { findCondition } from '../../api/meta/condition.ts';
import { backoffMs } from '../../kit/backoff.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { Random } from '../../kit/random.ts';
import type { AgentStatus } from './pod-status.ts';

export interface StatusWriterOptions {
  readonly client: Client;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

const RETRY = { baseMs: 100, maxMs: 5000, jitter: 0.5 };

/**
 * Writes a pod's status, one patch at a time, always the newest; tries again while the API server is away. A strategic
 * merge patch merges conditions by type: those of other writers stay.
 */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #abort = new AbortController();
  #wanted: AgentStatus | undefined;
  #written = '';
  #isGone = false;
  #working: Promise<void> | undefined;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  /** The conditions that were said last. */
  get conditions(): AgentStatus['conditions'] {
    return this.#wanted?.conditions;
  }

  /** The status that is to be there. Returns at once. */
  set(status: AgentStatus): void {
    this.#wanted = status;
    if (this.#isGone || this.#abort.signal.aborted || JSON.stringify(status) === this.#written) return;
    this.#working ??= this.#work();
  }

  /** What the API server has now: when somebody has changed what is ours, it is written again. */
  seen(pod: Pod): void {
    if (this.#working !== undefined || this.#wanted === undefined || this.#written === '') return;
    const ours = this.#wanted.conditions ?? [];
    const isKept = ours.every(({ type, status }) => findCondition(pod.status.conditions, type)?.status === status);
    if (isKept) return;
    this.#written = '';
    this.set(this.#wanted);
  }

  /** Resolves when the newest status is written, or the pod is gone. */
  async flush(): Promise<void> {
    await this.#working;
  }

  async close(): Promise<void> {
    this.#abort.abort(new Error('status writer closed'));
    await this.#working;
  }

  async #work(): Promise<void> {
    const { clock, random, log, name } = this.#options;
    // What runs to its end without waiting would clear the mark before it is set.
    await Promise.resolve();
    for (let failures = 0; !this.#isGone && !this.#abort.signal.aborted; ) {
      const status = this.#wanted;
      const text = JSON.stringify(status);
      if (status === undefined || text === this.#written) break;
      try {
        await this.#write(status);
        this.#written = text;
        failures = 0;
      } catch (error) {
        if (failures === 0) log.warn({ error, pod: name }, 'cannot write the status of the pod; trying again');
        await clock.sleep(backoffMs(failures++, RETRY, random), this.#abort.signal).catch(() => undefined);
      }
    }
    this.#working = undefined;
  }

  async #write(status: AgentStatus): Promise<void> {
    const { client, namespace, name, uid } = this.#options;
    try {
      await client.patch(
        podKind,
        { namespace, name },
        { metadata: { uid }, status: { ...status, conditions: status.conditions?.map(withNulls) } },
        { type: 'strategic', subresource: 'status' },
      );
    } catch (error) {
      // Deleted, or another of the same name: nobody waits for this status. A write that came between is tried again.
      if (hasCode(error, 404) || (hasCode(error, 409) && (await this.#isAnother()))) this.#isGone = true;
      else throw error;
    }
  }

  /** Whether the name stands for another pod by now: the uid in the patch is refused then. */
  async #isAnother(): Promise<boolean> {
    const { client, namespace, name, uid } = this.#options;
    const present = await client.get(podKind, { namespace, name });
    return present.metadata.uid !== uid;
  }
}

/** A merge leaves what the patch does not name: a reason that no longer holds is taken away by name. */
function withNulls(condition: PodCondition): Record<string, string | number | null | undefined> {
  return { ...condition, reason: condition.reason ?? null, message: condition.message ?? null };
}
