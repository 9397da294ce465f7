import { z } from 'zod';
import { amountSchema } from '../meta/quantity.ts';

/** Amounts by resource name: cpu, memory, ephemeral-storage and whatever a node offers. */
export const resourceListSchema = z.record(z.string(), amountSchema);

export const resourceRequirementsSchema = z
  .strictObject({
    limits: resourceListSchema.optional().describe('The most that may be used.'),
    requests: resourceListSchema
      .optional()
      .describe('What the scheduler sets aside. Defaults to limits where they are given.'),
    claims: z
      .array(z.strictObject({ name: z.string(), request: z.string().optional() }))
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
      .optional(),
  })
  .describe('Compute resources that a container needs and may use.');

export type ResourceRequirements = z.infer<typeof resourceRequirementsSchema>;
