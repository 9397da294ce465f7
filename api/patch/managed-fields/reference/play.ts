import type { z } from 'zod';
import { isObject, type JsonObject } from '../../json.ts';
import { applyConfiguration } from '../apply-configuration.ts';
import { applyConflict } from '../apply-conflict.ts';
import { allFields } from '../field-filter.ts';
import { type ManagedFieldsEntry, managedFieldsOf, NO_OWNERS, type Owners } from '../managers.ts';
import { trackUpdate } from '../track-update.ts';
import { typedSchemaOf } from '../typed-schema.ts';
import type { Scenario, Step } from './scenarios.ts';

/** What became of the object, and of who owns what of it, after a step. */
export interface Answer {
  /** With managedFields in its metadata. */
  readonly object: JsonObject;
  /** Empty when the step was carried out. */
  readonly error: string;
}

interface State {
  readonly live: JsonObject;
  readonly owners: Owners;
}

const NOW = '2030-01-01T00:00:00Z';

/** Plays a scenario with our own functions. */
export function play({ apiVersion, kind, steps }: Scenario, schema: z.ZodType): readonly Answer[] {
  let state: State = { live: { apiVersion, kind }, owners: NO_OWNERS };
  return steps.map((step) => {
    const next = write(state, step, { apiVersion, schema });
    if (typeof next === 'string') return { object: shown(state), error: next };
    state = next;
    return { object: shown(state), error: '' };
  });
}

function write(
  { live, owners }: State,
  { op, manager, force, object: given }: Step,
  { apiVersion, schema }: { readonly apiVersion: string; readonly schema: z.ZodType },
): State | string {
  const object = given as JsonObject;
  const place = { schema: typedSchemaOf(schema), owners, filter: allFields, now: NOW };
  if (op === 'update') {
    const by = { manager, operation: 'Update', apiVersion, subresource: '' } as const;
    return { live: object, owners: trackUpdate({ ...place, before: live, after: object, by }) };
  }
  const by = { manager, operation: 'Apply', apiVersion, subresource: '' } as const;
  const applied = applyConfiguration({ ...place, live, config: object, by, conflicts: force ? 'take' : 'refuse' });
  if (applied.type === 'conflicts') return applyConflict(applied.conflicts).message;
  return { live: applied.object, owners: applied.owners };
}

function shown({ live, owners }: State): JsonObject {
  const managedFields = managedFieldsOf(owners) as JsonObject['x'] | undefined;
  if (managedFields === undefined) return live;
  const { metadata } = live;
  return { ...live, metadata: { ...(isObject(metadata) ? metadata : {}), managedFields } };
}

/** An answer in the one form in which both referees' can be compared: times only as far as there is one. */
export function comparable({ object, error }: Answer): unknown {
  const { metadata } = object;
  const { managedFields = [], ...rest } = isObject(metadata) ? metadata : {};
  const entries = (managedFields as readonly ManagedFieldsEntry[]).map(({ time, ...entry }) => ({
    ...entry,
    timed: time !== undefined,
  }));
  const order = ({ manager, operation }: ManagedFieldsEntry): string => `${operation} ${manager}`;
  return {
    object: { ...object, metadata: rest },
    managedFields: entries.sort((left, right) => (order(left) < order(right) ? -1 : 1)),
    // Go names several managers in any order.
    error: error.split('\n').sort().join('\n'),
  };
}
