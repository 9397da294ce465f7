import type { Event } from '../../kinds/event.ts';
import type { ObjectReference } from '../../kinds/references.ts';
import type { Occurrence } from './occurrence.ts';

/** Who tells. */
export interface Reporter {
  /** deployment-controller, default-scheduler, tutti-agent. */
  readonly component: string;
  /** The node, of an agent. */
  readonly host?: string;
}

/** Who tells of what. */
export interface Report {
  readonly reporter: Reporter;
  readonly involved: ObjectReference;
  readonly occurrence: Omit<Occurrence, 'fieldPath'>;
}

/** Reports that count as the same thing again (getEventKey in client-go's events_cache.go). */
export function reportKey({ reporter, involved, occurrence }: Report): string {
  const { component, host } = reporter;
  const { uid, kind, namespace, name, fieldPath } = involved;
  const { type, reason, message } = occurrence;
  return JSON.stringify([component, host, kind, namespace, name, uid, fieldPath, type, reason, message]);
}

/** The Event of a thing that happens for the first time. */
export function firstEvent({ reporter, involved, occurrence }: Report, name: string, now: string): NewEvent {
  return {
    metadata: { name, namespace: involved.namespace ?? 'default' },
    involvedObject: involved,
    ...occurrence,
    source: reporter,
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
    reportingComponent: reporter.component,
    reportingInstance: reporter.host ?? '',
  };
}

export type NewEvent = Omit<Event, 'apiVersion' | 'kind' | 'metadata'> & {
  metadata: { name: string; namespace: string };
};

/** The change to an Event of a thing that happened again, as a merge patch. */
export function againPatch(count: number, now: string): Pick<Event, 'count' | 'lastTimestamp'> {
  return { count, lastTimestamp: now };
}
