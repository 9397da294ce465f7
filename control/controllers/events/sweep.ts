import type { Client } from '../../../api/client/client.ts';
import { type Event, eventKind } from '../../../api/kinds/event.ts';
import { hasCode } from '../../../api/meta/api-error.ts';
import type { ControllerContext, Running } from '../controller.ts';
import { refOf } from '../controller.ts';
import { startSweep } from '../sweep.ts';

/** kube-apiserver's --event-ttl. */
const EVENT_TTL_MS = 60 * 60_000;
/** Beyond so many, the oldest go before their time, so that a storm of events cannot fill the store. */
const EVENTS_LIMIT = 10_000;
const PAGE = 500;

/** Events that have not happened for an hour, and the oldest of more than a limit. */
export function outdatedEvents(events: readonly Event[], nowMs: number): readonly Event[] {
  const byAge = [...events].sort((left, right) => lastSeenMs(left) - lastSeenMs(right));
  const surplus = Math.max(0, byAge.length - EVENTS_LIMIT);
  return byAge.filter((event, index) => index < surplus || nowMs - lastSeenMs(event) > EVENT_TTL_MS);
}

/** Deletes outdated Events, once a minute. */
export function startEventSweeper({ client, clock, log }: ControllerContext): Running {
  return startSweep({ clock, log }, 'events', async () => {
    for (const event of outdatedEvents(await everyEvent(client), clock.now())) await remove(client, event);
  });
}

async function everyEvent(client: Client): Promise<readonly Event[]> {
  const events: Event[] = [];
  let next: string | undefined;
  do {
    const page = await client.list(eventKind, { limit: PAGE, ...(next === undefined ? {} : { continue: next }) });
    events.push(...page.items);
    next = page.continue;
  } while (next !== undefined && next !== '');
  return events;
}

async function remove(client: Client, event: Event): Promise<void> {
  try {
    // One that happened again since it was listed stays.
    const { uid, resourceVersion } = event.metadata;
    await client.delete(eventKind, refOf(event), { preconditions: { uid, resourceVersion } });
  } catch (error) {
    if (!hasCode(error, 404) && !hasCode(error, 409)) throw error;
  }
}

function lastSeenMs({ series, lastTimestamp, eventTime, metadata }: Event): number {
  return Date.parse(series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp);
}
