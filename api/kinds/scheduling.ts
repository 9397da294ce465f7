import { z } from 'zod';
import { labelSelectorSchema } from '../meta/label-selector.ts';
import { atomicList } from './list-schema.ts';

const nodeSelectorRequirementSchema = z.strictObject({
  key: z.string(),
  operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt']),
  values: atomicList(z.string()).optional(),
});

const nodeSelectorTermSchema = z.strictObject({
  matchExpressions: atomicList(nodeSelectorRequirementSchema).optional(),
  matchFields: atomicList(nodeSelectorRequirementSchema).optional(),
});

const podAffinityTermSchema = z.strictObject({
  labelSelector: labelSelectorSchema.optional(),
  namespaces: atomicList(z.string()).optional(),
  topologyKey: z.string(),
  namespaceSelector: labelSelectorSchema.optional(),
  matchLabelKeys: atomicList(z.string()).optional(),
  mismatchLabelKeys: atomicList(z.string()).optional(),
});

const weight = z.int();

const podAffinitySchema = z.strictObject({
  requiredDuringSchedulingIgnoredDuringExecution: atomicList(podAffinityTermSchema).optional(),
  preferredDuringSchedulingIgnoredDuringExecution: atomicList(
    z.strictObject({ weight, podAffinityTerm: podAffinityTermSchema }),
  ).optional(),
});

export const affinitySchema = z
  .strictObject({
    nodeAffinity: z
      .strictObject({
        requiredDuringSchedulingIgnoredDuringExecution: z
          .strictObject({ nodeSelectorTerms: atomicList(nodeSelectorTermSchema) })
          .meta({ 'x-kubernetes-map-type': 'atomic' })
          .optional(),
        preferredDuringSchedulingIgnoredDuringExecution: atomicList(
          z.strictObject({ weight, preference: nodeSelectorTermSchema }),
        ).optional(),
      })
      .optional(),
    podAffinity: podAffinitySchema.optional(),
    podAntiAffinity: podAffinitySchema.optional(),
  })
  .describe("The pod's wishes about the nodes it runs on and the pods it runs beside.");

export const tolerationSchema = z
  .strictObject({
    key: z.string().optional(),
    operator: z.enum(['', 'Equal', 'Exists']).optional(),
    value: z.string().optional(),
    effect: z.enum(['', 'NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
    tolerationSeconds: z.int().optional(),
  })
  .describe('A taint of nodes that the pod puts up with.');

export const topologySpreadConstraintSchema = z
  .strictObject({
    maxSkew: z.int(),
    topologyKey: z.string(),
    whenUnsatisfiable: z.enum(['DoNotSchedule', 'ScheduleAnyway']),
    labelSelector: labelSelectorSchema.optional(),
    minDomains: z.int().optional(),
    nodeAffinityPolicy: z.enum(['Honor', 'Ignore']).optional(),
    nodeTaintsPolicy: z.enum(['Honor', 'Ignore']).optional(),
    matchLabelKeys: atomicList(z.string()).optional(),
  })
  .describe('How evenly matching pods are to be spread.');

export const taintSchema = z
  .strictObject({
    key: z.string().min(1),
    value: z.string().optional(),
    effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']),
    timeAdded: z.iso.datetime({ offset: true }).optional(),
  })
  .describe('Keeps pods that do not tolerate it off the node.');

export type Taint = z.infer<typeof taintSchema>;
