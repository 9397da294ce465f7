import { z } from 'zod';
import { fieldInvalid, fieldRequired } from '../meta/field-error.ts';
import { age } from '../meta/human-duration.ts';
import { wrong } from '../meta/metadata-rules.ts';
import { pathSegment, qualifiedName } from '../meta/names.ts';
import type { FieldError } from '../meta/status.ts';
import { microTimeSchema, timeSchema } from '../meta/time.ts';
import { column, nameColumn, wide } from './columns.ts';
import { defineKind, identity, type Stored } from './define-kind.ts';
import type { Column } from './kind.ts';
import { objectReferenceSchema } from './references.ts';

const eventSchema = z
  .strictObject({
    ...identity('v1', 'Event'),
    involvedObject: objectReferenceSchema.default(() => ({})).describe('The object that this is about.'),
    reason: z.string().optional().describe('Why, in one word: Scheduled, BackOff.'),
    message: z.string().optional().describe('What happened, for people.'),
    source: z
      .strictObject({ component: z.string().optional(), host: z.string().optional() })
      .default(() => ({}))
      .describe('Who reports it.'),
    firstTimestamp: timeSchema.optional().describe('When it was first seen.'),
    lastTimestamp: timeSchema.optional().describe('When it was last seen.'),
    count: z.int().optional().describe('How often it was seen.'),
    type: z.string().optional().describe('Normal or Warning.'),
    eventTime: microTimeSchema.optional(),
    series: z.strictObject({ count: z.int().optional(), lastObservedTime: microTimeSchema.optional() }).optional(),
    action: z.string().optional(),
    related: objectReferenceSchema.optional(),
    reportingComponent: z.string().default(''),
    reportingInstance: z.string().default(''),
  })
  .describe('Something that happened to an object.');

export type Event = Stored<typeof eventSchema>;

/** printEvent in printers.go. */
const columns: readonly Column<Event>[] = [
  column('Last Seen', 'When it was last seen.', (event, nowMs) => lastSeen(event, nowMs)),
  column('Type', 'Normal or Warning.', ({ type }) => type ?? ''),
  column('Reason', 'Why, in one word.', ({ reason }) => reason ?? ''),
  column('Object', 'The object that this is about.', ({ involvedObject: { kind = '', name = '' } }) =>
    name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`,
  ),
  wide(column('Subobject', 'The part of the object.', ({ involvedObject }) => involvedObject.fieldPath ?? '')),
  wide(column('Source', 'Who reports it.', sourceWords)),
  column('Message', 'What happened.', ({ message }) => (message ?? '').trim()),
  wide(column('First Seen', 'When it was first seen.', (event, nowMs) => firstSeen(event, nowMs))),
  wide(column('Count', 'How often it was seen.', seenCount)),
  wide(nameColumn),
];

export const eventKind = defineKind<Event>({
  group: '',
  version: 'v1',
  kind: 'Event',
  createdByPut: true,
  plural: 'events',
  shortNames: ['ev'],
  namespaced: true,
  schema: eventSchema,
  columns,
  selectableFields: {
    'involvedObject.kind': ({ involvedObject }) => involvedObject.kind ?? '',
    'involvedObject.namespace': ({ involvedObject }) => involvedObject.namespace ?? '',
    'involvedObject.name': ({ involvedObject }) => involvedObject.name ?? '',
    'involvedObject.uid': ({ involvedObject }) => involvedObject.uid ?? '',
    'involvedObject.apiVersion': ({ involvedObject }) => involvedObject.apiVersion ?? '',
    'involvedObject.resourceVersion': ({ involvedObject }) => involvedObject.resourceVersion ?? '',
    'involvedObject.fieldPath': ({ involvedObject }) => involvedObject.fieldPath ?? '',
    reason: ({ reason }) => reason ?? '',
    reportingComponent: ({ reportingComponent, source }) => reportingComponent || (source.component ?? ''),
    source: ({ source, reportingComponent }) => source.component || reportingComponent,
    type: ({ type }) => type ?? '',
  },
  // Clients make the names from those of objects, whatever these are.
  nameRule: pathSegment,
  validate: (event, old) => [...namespaceErrors(event), ...(old === undefined ? momentErrors(event) : [])],
});

function namespaceErrors({ metadata, involvedObject }: Event): readonly FieldError[] {
  const namespace = involvedObject.namespace ?? '';
  const expected = namespace === '' ? 'default' : namespace;
  return metadata.namespace === expected
    ? []
    : [fieldInvalid('involvedObject.namespace', namespace, 'does not match event.namespace')];
}

/** legacyValidateEvent: an event that says its moment to the microsecond says who reports it, and what was done. */
function momentErrors(event: Event): readonly FieldError[] {
  if (event.eventTime === undefined) return [];
  const { reportingComponent, reportingInstance, action = '', reason = '' } = event;
  return [
    ...(reportingComponent === '' ? [fieldRequired('reportingComponent')] : []),
    ...wrong('reportingComponent', reportingComponent, qualifiedName),
    ...(reportingInstance === '' ? [fieldRequired('reportingInstance')] : []),
    ...(action === '' ? [fieldRequired('action')] : []),
    ...(reason === '' ? [fieldRequired('reason')] : []),
  ];
}

function lastSeen(event: Event, nowMs: number): string {
  const { series, lastTimestamp } = event;
  if (series !== undefined) return age(series.lastObservedTime, nowMs);
  return lastTimestamp === undefined ? firstSeen(event, nowMs) : age(lastTimestamp, nowMs);
}

function firstSeen({ firstTimestamp, eventTime }: Event, nowMs: number): string {
  return age(firstTimestamp ?? eventTime, nowMs);
}

/** An event without a count happened once. */
function seenCount({ series, count }: Event): number {
  return series === undefined ? count || 1 : (series.count ?? 0);
}

function sourceWords({ source, reportingComponent, reportingInstance }: Event): string {
  const component = source.component || reportingComponent;
  const host = source.host || reportingInstance;
  return host === '' || host === undefined ? component : `${component}, ${host}`;
}
