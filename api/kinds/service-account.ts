import { z } from 'zod';
import { ageColumn, column, nameColumn } from './columns.ts';
import { defineKind, identity, type Stored } from './define-kind.ts';
import { atomicList, mapList } from './list-schema.ts';
import { localObjectReferenceSchema, objectReferenceSchema } from './references.ts';

const serviceAccountSchema = z
  .strictObject({
    ...identity('v1', 'ServiceAccount'),
    secrets: mapList(objectReferenceSchema, 'name').optional(),
    imagePullSecrets: atomicList(localObjectReferenceSchema).optional(),
    automountServiceAccountToken: z.boolean().optional(),
  })
  .describe('The identity of pods: who they are to the API and to each other.');

export type ServiceAccount = Stored<typeof serviceAccountSchema>;

export const serviceAccountKind = defineKind<ServiceAccount>({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  namespaced: true,
  subresources: ['token'],
  schema: serviceAccountSchema,
  columns: [
    nameColumn,
    column('Secrets', 'How many secrets it names.', ({ secrets }) => secrets?.length ?? 0),
    ageColumn,
  ],
});
