import { z } from 'zod';
import { fieldInvalid } from '../meta/field-error.ts';
import { microTimeSchema } from '../meta/time.ts';
import { ageColumn, column, nameColumn } from './columns.ts';
import { defineKind, identity, type Stored } from './define-kind.ts';

const leaseSchema = z
  .strictObject({
    ...identity('coordination.k8s.io/v1', 'Lease'),
    spec: z
      .strictObject({
        holderIdentity: z.string().optional().describe('Who holds the lease.'),
        leaseDurationSeconds: z.int().optional().describe('How long it is held after renewTime.'),
        acquireTime: microTimeSchema.optional().describe('When the holder got it.'),
        renewTime: microTimeSchema.optional().describe('When the holder last renewed it.'),
        leaseTransitions: z.int().optional().describe('How often it changed hands.'),
        strategy: z.string().optional(),
        preferredHolder: z.string().optional(),
      })
      // What only a coordinated election reads is not kept where there is none (CoordinatedLeaderElection).
      .overwrite(({ strategy: _strategy, preferredHolder: _preferred, ...spec }) => spec)
      .prefault({}),
  })
  .describe('A claim that its holder renews: leadership, or a sign of life.');

export type Lease = Stored<typeof leaseSchema>;

export const leaseKind = defineKind<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  createdByPut: true,
  plural: 'leases',
  namespaced: true,
  schema: leaseSchema,
  columns: [nameColumn, column('Holder', 'Who holds the lease.', ({ spec }) => spec.holderIdentity ?? ''), ageColumn],
  validate: ({ spec }) => [
    ...(spec.leaseDurationSeconds !== undefined && spec.leaseDurationSeconds <= 0
      ? [fieldInvalid('spec.leaseDurationSeconds', spec.leaseDurationSeconds, 'must be greater than 0')]
      : []),
    ...(spec.leaseTransitions !== undefined && spec.leaseTransitions < 0
      ? [fieldInvalid('spec.leaseTransitions', spec.leaseTransitions, 'must be greater than or equal to 0')]
      : []),
  ],
});
