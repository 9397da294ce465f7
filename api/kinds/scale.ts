import { z } from 'zod';
import { objectMetaSchema } from '../meta/object-meta.ts';

/** autoscaling/v1 Scale: how `kubectl scale` sees a Deployment or ReplicaSet. Not stored. */
export const scaleSchema = z
  .strictObject({
    apiVersion: z.literal('autoscaling/v1'),
    kind: z.literal('Scale'),
    metadata: objectMetaSchema.default(() => ({})),
    spec: z.strictObject({ replicas: z.int32().min(0).default(0).describe('How many pods are wanted.') }).prefault({}),
    status: z
      .strictObject({
        replicas: z.int32().default(0).describe('How many pods there are.'),
        selector: z.string().optional().describe('Their labels, as text.'),
      })
      .prefault({}),
  })
  .describe('How many pods are wanted and how many there are.');

export type Scale = z.infer<typeof scaleSchema>;
