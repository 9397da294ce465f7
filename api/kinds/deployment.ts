import { z } from 'zod';
import { conditionStatusSchema } from '../meta/condition.ts';
import { intOrStringSchema } from '../meta/int-or-percent.ts';
import { formatLabelSelector, labelSelectorSchema } from '../meta/label-selector.ts';
import { timeSchema } from '../meta/time.ts';
import { ageColumn, column, listed, nameColumn, wide } from './columns.ts';
import { defineKind, identity, type Stored } from './define-kind.ts';
import { mapList } from './list-schema.ts';
import { podTemplateSchema } from './pod-spec.ts';
import { validateDeployment, workloadWarnings } from './workload-rules.ts';

const strategySchema = z
  .strictObject({
    type: z
      .enum(['Recreate', 'RollingUpdate'])
      .default('RollingUpdate')
      .describe('Recreate stops all pods before new ones start; RollingUpdate replaces them little by little.'),
    rollingUpdate: z
      .strictObject({
        maxUnavailable: intOrStringSchema
          .default('25%')
          .describe('How many pods may be unavailable: a number or a percentage, rounded down.'),
        maxSurge: intOrStringSchema
          .default('25%')
          .describe('How many pods may be above the wanted number: a number or a percentage, rounded up.'),
      })
      .optional(),
  })
  .overwrite((strategy) =>
    strategy.type === 'RollingUpdate' && strategy.rollingUpdate === undefined
      ? { ...strategy, rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } }
      : strategy,
  )
  .meta({ 'x-kubernetes-patch-strategy': 'retainKeys' })
  .describe('How pods of the old template are replaced by pods of the new one.');

const deploymentConditionSchema = z.strictObject({
  type: z.string().describe('Available, Progressing or ReplicaFailure.'),
  status: conditionStatusSchema,
  lastUpdateTime: timeSchema.optional(),
  lastTransitionTime: timeSchema.optional(),
  reason: z.string().optional(),
  message: z.string().optional(),
});

const deploymentSchema = z
  .strictObject({
    ...identity('apps/v1', 'Deployment'),
    spec: z
      .strictObject({
        replicas: z.int32().default(1).describe('How many pods are wanted.'),
        selector: labelSelectorSchema.describe("Selects the Deployment's pods; must match the template's labels."),
        template: podTemplateSchema,
        strategy: strategySchema.prefault({}),
        minReadySeconds: z.int32().optional().describe('Seconds that a new pod must be ready to count as available.'),
        revisionHistoryLimit: z.int32().default(10).describe('How many old ReplicaSets are kept for rollback.'),
        paused: z.boolean().optional().describe('Changes of the template are not rolled out.'),
        progressDeadlineSeconds: z
          .int32()
          .default(600)
          .describe('Seconds without progress after which the Deployment counts as failed.'),
      })
      .describe('What the Deployment is to be.'),
    status: z
      .strictObject({
        observedGeneration: z.int().optional().describe('The generation that the controller has seen.'),
        replicas: z.int32().optional().describe('Pods that the Deployment has.'),
        updatedReplicas: z.int().optional().describe('Pods of the present template.'),
        readyReplicas: z.int().optional().describe('Pods that are ready.'),
        availableReplicas: z.int().optional().describe('Pods that have been ready for minReadySeconds.'),
        unavailableReplicas: z.int().optional().describe('Pods that are still missing.'),
        terminatingReplicas: z.int().optional(),
        conditions: mapList(deploymentConditionSchema, 'type').optional(),
        collisionCount: z.int().optional(),
      })
      .prefault({})
      .describe('What the Deployment is.'),
  })
  .describe('Keeps a number of pods running and replaces them when their template changes.');

export type Deployment = Stored<typeof deploymentSchema>;
export type DeploymentCondition = z.infer<typeof deploymentConditionSchema>;

export const deploymentKind = defineKind<Deployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  categories: ['all'],
  namespaced: true,
  subresources: ['status', 'scale'],
  schema: deploymentSchema,
  columns: [
    nameColumn,
    column(
      'Ready',
      'Pods that are ready, of those wanted.',
      ({ spec, status }) => `${status.readyReplicas ?? 0}/${spec.replicas}`,
    ),
    column('Up-to-date', 'Pods of the present template.', ({ status }) => status.updatedReplicas ?? 0),
    column('Available', 'Pods that are available.', ({ status }) => status.availableReplicas ?? 0),
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
    wide(column('Selector', "Selects the Deployment's pods.", ({ spec }) => formatLabelSelector(spec.selector))),
  ],
  validate: validateDeployment,
  warnings: workloadWarnings,
});
