import type { Event } from '../../api/kinds/event.ts';

/** When it was last seen, in ms. */
export function lastSeenMs({ lastTimestamp, eventTime, metadata }: Event): number {
  return Date.parse(lastTimestamp ?? eventTime ?? metadata.creationTimestamp);
}

/** Oldest first. Times are whole seconds: within one, the server's revisions tell which was written first. */
export function inOrder(events: readonly Event[]): Event[] {
  return events.toSorted(
    (one, other) =>
      lastSeenMs(one) - lastSeenMs(other) ||
      Number(one.metadata.resourceVersion) - Number(other.metadata.resourceVersion),
  );
}
