import { z } from 'zod';
import { conditionStatusSchema } from '../meta/condition.ts';
import { dnsLabel } from '../meta/names.ts';
import { timeSchema } from '../meta/time.ts';
import { ageColumn, column, nameColumn } from './columns.ts';
import { defineKind, identity, type Stored } from './define-kind.ts';
import { atomicList, mapList } from './list-schema.ts';

const namespaceConditionSchema = z.strictObject({
  type: z.string(),
  status: conditionStatusSchema,
  lastTransitionTime: timeSchema.optional(),
  reason: z.string().optional(),
  message: z.string().optional(),
});

const namespaceSchema = z
  .strictObject({
    ...identity('v1', 'Namespace'),
    spec: z
      .strictObject({
        finalizers: atomicList(z.string()).optional().describe('Must be empty before the namespace is removed.'),
      })
      .prefault({}),
    status: z
      .strictObject({
        phase: z.enum(['Active', 'Terminating']).default('Active').describe('Where the namespace is in its life.'),
        conditions: mapList(namespaceConditionSchema, 'type').optional(),
      })
      .prefault({}),
  })
  .describe('A space for names. Deleting it deletes what is in it.');

export type Namespace = Stored<typeof namespaceSchema>;

export const namespaceKind = defineKind<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  subresources: ['status'],
  nameRule: dnsLabel,
  schema: namespaceSchema,
  columns: [nameColumn, column('Status', 'The phase of the namespace.', ({ status }) => status.phase), ageColumn],
  selectableFields: { 'status.phase': ({ status }) => status.phase },
});
