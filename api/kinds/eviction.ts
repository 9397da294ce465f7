import { z } from 'zod';
import { objectMetaSchema } from '../meta/object-meta.ts';

/**
 * policy/v1 Eviction: asks that a pod leave its node, as a drain does. Not stored: it is posted to the pod's subresource
 * `eviction`, and the pod is deleted with its grace.
 */
export const evictionSchema = z
  .strictObject({
    apiVersion: z.literal('policy/v1'),
    kind: z.literal('Eviction'),
    metadata: objectMetaSchema.default(() => ({})),
    deleteOptions: z.looseObject({}).optional().describe('As for a deletion: grace, preconditions, dryRun.'),
  })
  .describe('Asks that a pod leave its node.');
