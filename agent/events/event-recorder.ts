import type { Client } from '../../api/client/client.ts';
import { eventKind } from '../../api/kinds/event.ts';
import { apiVersionOf, type Kind, type KubeObject } from '../../api/kinds/kind.ts';
import type { ObjectReference } from '../../api/kinds/references.ts';
import { hasCode } from '../../api/meta/api-error.ts';
import { type Clock, timestamp } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { Random } from '../../kit/random.ts';
import { randomInt } from '../../kit/random.ts';

/** Something that happened to an object. `reason` is the kubelet's word where it has one. */
export interface Occurrence {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** The part of the object: `spec.containers{web}`. */
  readonly fieldPath?: string;
}

export interface EventRecorderOptions {
  readonly client: Client;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Reports that wait beyond this are dropped: events must never hold up the work. */
const QUEUE_LIMIT = 1000;
/** What is remembered to be counted when it happens again. */
const REMEMBERED_LIMIT = 1000;
/** An agent that stops does not wait longer for its last events. */
const LAST_WITHIN_MS = 1000;

interface Remembered {
  readonly name: string;
  readonly namespace: string;
  count: number;
}

/** Tells people what happens on this node, as core/v1 Events; the same thing again raises a count. Never throws. */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #waiting: { involved: ObjectReference; occurrence: Occurrence }[] = [];
  readonly #remembered = new Map<string, Remembered>();
  #working: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  record<T extends KubeObject>(kind: Kind<T>, object: T, occurrence: Occurrence): void {
    if (this.#isClosed || this.#waiting.length >= QUEUE_LIMIT) return;
    const { name, namespace, uid } = object.metadata;
    const involved: ObjectReference = {
      apiVersion: apiVersionOf(kind),
      kind: kind.kind,
      name,
      uid,
      ...(namespace === undefined ? {} : { namespace }),
      ...(occurrence.fieldPath === undefined ? {} : { fieldPath: occurrence.fieldPath }),
    };
    this.#waiting.push({ involved, occurrence });
    this.#working ??= this.#work();
  }

  /** Takes no more; what was told so far is written, unless that takes too long. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const late = Promise.withResolvers<void>();
    const timer = this.#options.clock.timer(LAST_WITHIN_MS, late.resolve);
    await Promise.race([this.#working, late.promise]);
    this.#waiting.length = 0;
    timer.stop();
  }

  async #work(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        await this.#write(next.involved, next.occurrence);
      } catch (error) {
        this.#options.log.debug({ error }, 'an event was not written');
      }
    }
    this.#working = undefined;
  }

  async #write(involved: ObjectReference, occurrence: Occurrence): Promise<void> {
    const key = JSON.stringify([
      involved.uid,
      involved.fieldPath,
      occurrence.type,
      occurrence.reason,
      occurrence.message,
    ]);
    const known = this.#remembered.get(key);
    if (known !== undefined && (await this.#again(known))) return;
    const made = await this.#first(involved, occurrence);
    this.#remembered.set(key, made);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > REMEMBERED_LIMIT && oldest !== undefined) this.#remembered.delete(oldest);
  }

  /** False when the Event has been swept away meanwhile. */
  async #again(known: Remembered): Promise<boolean> {
    const { client, clock } = this.#options;
    known.count++;
    const patch = { count: known.count, lastTimestamp: timestamp(clock.now()) };
    try {
      await client.patch(eventKind, { namespace: known.namespace, name: known.name }, patch, { type: 'merge' });
      return true;
    } catch (error) {
      if (hasCode(error, 404)) return false;
      throw error;
    }
  }

  async #first(involved: ObjectReference, { type, reason, message }: Occurrence): Promise<Remembered> {
    const { client, clock, random, nodeName } = this.#options;
    const now = timestamp(clock.now());
    const namespace = involved.namespace ?? 'default';
    // The kubelet names events so: the object, a dot, and something unique.
    const name = `${involved.name ?? ''}.${clock.now().toString(16)}${randomInt(random, 2 ** 24).toString(16)}`;
    await client.create(eventKind, {
      metadata: { name, namespace },
      involvedObject: involved,
      type,
      reason,
      message,
      source: { component: 'tutti-agent', host: nodeName },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
      reportingComponent: 'tutti-agent',
      reportingInstance: nodeName,
    });
    return { name, namespace, count: 1 };
  }
}
