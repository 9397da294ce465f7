import { z } from 'zod';
import { conditionStatusSchema } from '../meta/condition.ts';
import { formatLabelSelector, labelSelectorSchema } from '../meta/label-selector.ts';
import { timeSchema } from '../meta/time.ts';
import { ageColumn, column, integerColumn, listed, nameColumn, wide } from './columns.ts';
import { defineKind, identity, type Stored } from './define-kind.ts';
import { mapList } from './list-schema.ts';
import { podTemplateSchema } from './pod-spec.ts';
import { validateReplicaSet, workloadWarnings } from './workload-rules.ts';

const replicaSetSchema = z
  .strictObject({
    ...identity('apps/v1', 'ReplicaSet'),
    spec: z
      .strictObject({
        replicas: z.int32().default(1).describe('How many pods are wanted.'),
        minReadySeconds: z.int32().optional().describe('Seconds that a new pod must be ready to count as available.'),
        selector: labelSelectorSchema.describe("Selects the ReplicaSet's pods; must match the template's labels."),
        template: podTemplateSchema,
      })
      .describe('What the ReplicaSet is to be.'),
    status: z
      .strictObject({
        replicas: z.int32().default(0).describe('Pods that the ReplicaSet has.'),
        fullyLabeledReplicas: z.int().optional().describe("Pods with all of the template's labels."),
        readyReplicas: z.int().optional().describe('Pods that are ready.'),
        availableReplicas: z.int().optional().describe('Pods that have been ready for minReadySeconds.'),
        terminatingReplicas: z.int().optional(),
        observedGeneration: z.int().optional().describe('The generation that the controller has seen.'),
        conditions: mapList(
          z.strictObject({
            type: z.string(),
            status: conditionStatusSchema,
            lastTransitionTime: timeSchema.optional(),
            reason: z.string().optional(),
            message: z.string().optional(),
          }),
          'type',
        ).optional(),
      })
      .prefault({})
      .describe('What the ReplicaSet is.'),
  })
  .describe('Keeps a number of pods of one template running. Deployments make them.');

export type ReplicaSet = Stored<typeof replicaSetSchema>;

export const replicaSetKind = defineKind<ReplicaSet>({
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  shortNames: ['rs'],
  categories: ['all'],
  namespaced: true,
  subresources: ['status', 'scale'],
  schema: replicaSetSchema,
  columns: [
    nameColumn,
    integerColumn('Desired', 'How many pods are wanted.', ({ spec }) => spec.replicas),
    integerColumn('Current', 'Pods that it has.', ({ status }) => status.replicas),
    integerColumn('Ready', 'Pods that are ready.', ({ status }) => status.readyReplicas ?? 0),
    ageColumn,
    wide(
      column('Containers', 'Names of the containers.', ({ spec }) =>
        listed(spec.template.spec.containers.map(({ name }) => name)),
      ),
    ),
    wide(
      column('Images', 'Images of the containers.', ({ spec }) =>
        listed(spec.template.spec.containers.map(({ image }) => image ?? '')),
      ),
    ),
    wide(column('Selector', "Selects the ReplicaSet's pods.", ({ spec }) => formatLabelSelector(spec.selector))),
  ],
  validate: validateReplicaSet,
  warnings: workloadWarnings,
});
