import { z } from 'zod';
import { objectMetaSchema } from '../meta/object-meta.ts';

/** authorization.k8s.io/v1 SelfSubjectAccessReview: may the caller do that (kubectl auth can-i)? Not stored. */
export const selfSubjectAccessReviewSchema = z
  .strictObject({
    apiVersion: z.literal('authorization.k8s.io/v1'),
    kind: z.literal('SelfSubjectAccessReview'),
    metadata: objectMetaSchema.default(() => ({})),
    spec: z.strictObject({
      resourceAttributes: z
        .strictObject({
          namespace: z.string().optional(),
          verb: z.string().optional(),
          group: z.string().optional(),
          version: z.string().optional(),
          resource: z.string().optional(),
          subresource: z.string().optional(),
          name: z.string().optional(),
          fieldSelector: z.looseObject({}).optional(),
          labelSelector: z.looseObject({}).optional(),
        })
        .optional(),
      nonResourceAttributes: z.strictObject({ path: z.string().optional(), verb: z.string().optional() }).optional(),
    }),
    status: z
      .strictObject({
        allowed: z.boolean(),
        denied: z.boolean().optional(),
        reason: z.string().optional(),
        evaluationError: z.string().optional(),
      })
      .optional(),
  })
  .describe('Asks whether the caller may do something.');

export type SelfSubjectAccessReview = z.infer<typeof selfSubjectAccessReviewSchema>;
