import type { Event } from '../../../api/kinds/event.ts';
import type { ObjectReference } from '../../../api/kinds/references.ts';
import type { Occurrence } from './occurrence.ts';

/** Who tells of what. */
export interface Report {
  /** Who: deployment-controller, default-scheduler. */
  readonly component: string;
  readonly involved: ObjectReference;
  readonly occurrence: Occurrence;
}

/** Reports that count as the same thing again (getEventKey in client-go's events_cache.go). */
export function reportKey({ component, involved, occurrence }: Report): string {
  const { uid, kind, namespace, name, fieldPath } = involved;
  const { type, reason, message } = occurrence;
  return JSON.stringify([component, kind, namespace, name, uid, fieldPath, type, reason, message]);
}

/** The Event of a thing that happens for the first time. */
export function firstEvent({ component, involved, occurrence }: Report, name: string, now: string): NewEvent {
  return {
    metadata: { name, namespace: involved.namespace ?? 'default' },
    involvedObject: involved,
    ...occurrence,
    source: { component },
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
    reportingComponent: component,
    reportingInstance: '',
  };
}

export type NewEvent = Omit<Event, 'apiVersion' | 'kind' | 'metadata'> & {
  metadata: { name: string; namespace: string };
};

/** The change to an Event of a thing that happened again, as a merge patch. */
export function againPatch(count: number, now: string): Pick<Event, 'count' | 'lastTimestamp'> {
  return { count, lastTimestamp: now };
}
