import { type Clock, timestamp } from '../../../kit/clock.ts';
import type { Logger } from '../../../kit/log.ts';
import type { Random } from '../../../kit/random.ts';
import { eventKind } from '../../kinds/event.ts';
import { apiVersionOf, type Kind, type KubeObject } from '../../kinds/kind.ts';
import type { ObjectReference } from '../../kinds/references.ts';
import { hasCode } from '../../meta/api-error.ts';
import type { Client } from '../client.ts';
import { againPatch, firstEvent, type Report, type Reporter, reportKey } from './correlate.ts';
import type { Occurrence } from './occurrence.ts';

export interface RecorderOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Waiting reports beyond this are dropped: events help people and must never hold up the work (client-go: 1,000). */
const QUEUE_LIMIT = 1000;
/** Things that are remembered to be counted when they happen again (client-go's LRU: 4,096). */
const REMEMBERED_LIMIT = 4096;

interface Remembered {
  readonly name: string;
  readonly namespace: string;
  readonly count: number;
}

/** Makes core/v1 Events, one after the other; the same thing again raises the count of the first. Never throws. */
export class EventRecorder {
  readonly #options: RecorderOptions;
  readonly #waiting: Report[] = [];
  /** In the order of last use, for the oldest to be forgotten. */
  readonly #remembered = new Map<string, Remembered>();
  #working: Promise<void> | undefined;
  #dropped = 0;
  #isClosed = false;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** Tells of an object. Returns at once; the Event comes when it comes. */
  record<T extends KubeObject>(reporter: Reporter, kind: Kind<T>, object: T, occurrence: Occurrence): void {
    if (this.#isClosed) return;
    if (this.#waiting.length >= QUEUE_LIMIT) {
      if (this.#dropped++ === 0) this.#options.log.warn('events: too many at once, some are lost');
      return;
    }
    const { fieldPath, ...told } = occurrence;
    const involved = { ...referenceTo(kind, object), ...(fieldPath === undefined ? {} : { fieldPath }) };
    this.#waiting.push({ reporter, involved, occurrence: told });
    this.#working ??= this.#work();
  }

  /** Resolves when what was told so far is written. */
  async flush(): Promise<void> {
    await this.#working;
  }

  /** Takes no more, and resolves when what was told is written; what is not by then is dropped, where a time is given. */
  async close({ withinMs }: { readonly withinMs?: number } = {}): Promise<void> {
    this.#isClosed = true;
    if (withinMs === undefined) return await this.#working;
    const late = Promise.withResolvers<void>();
    const timer = this.#options.clock.timer(withinMs, late.resolve);
    await Promise.race([this.#working, late.promise]);
    this.#waiting.length = 0;
    timer.stop();
  }

  async #work(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        await this.#write(next);
      } catch (error) {
        // The namespace is going away, or the server is: an event is not worth a second try.
        this.#options.log.debug({ error, reason: next.occurrence.reason }, 'events: one is lost');
      }
    }
    this.#dropped = 0;
    this.#working = undefined;
  }

  async #write(report: Report): Promise<void> {
    const { client, clock } = this.#options;
    const key = reportKey(report);
    const now = timestamp(clock.now());
    const known = this.#remembered.get(key);
    if (known !== undefined) {
      const count = known.count + 1;
      const { name, namespace } = known;
      try {
        await client.patch(eventKind, { name, namespace }, againPatch(count, now), { type: 'merge' });
        this.#remember(key, { ...known, count });
        return;
      } catch (error) {
        if (!hasCode(error, 404)) throw error; // Swept away since: it begins anew.
      }
    }
    const event = firstEvent(report, this.#eventName(report), now);
    await client.create(eventKind, event);
    this.#remember(key, { ...event.metadata, count: 1 });
  }

  /** The object's name and something unique, as client-go names events. */
  #eventName({ involved }: Report): string {
    const { clock, random } = this.#options;
    const unique = Math.floor(clock.now() * 1000 + random() * 1000).toString(16);
    return `${involved.name ?? ''}.${unique}${Math.floor(random() * 0x10000).toString(16)}`;
  }

  #remember(key: string, remembered: Remembered): void {
    this.#remembered.delete(key);
    this.#remembered.set(key, remembered);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > REMEMBERED_LIMIT && oldest !== undefined) this.#remembered.delete(oldest);
  }
}

function referenceTo<T extends KubeObject>(kind: Kind<T>, { metadata }: T): ObjectReference {
  return {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    name: metadata.name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
  };
}
