import { z } from 'zod';

export const ownerReferenceSchema = z
  .strictObject({
    apiVersion: z.string().min(1),
    kind: z.string().min(1),
    name: z.string().min(1),
    uid: z.string().min(1),
    controller: z.boolean().optional(),
    blockOwnerDeletion: z.boolean().optional(),
  })
  .meta({ description: 'Names the object that this one belongs to. When its owners are gone, it is deleted.' });

export type OwnerReference = z.infer<typeof ownerReferenceSchema>;

export const objectMetaSchema = z
  .strictObject({
    name: z.string().optional(),
    generateName: z.string().optional(),
    namespace: z.string().optional(),
    uid: z.string().optional(),
    resourceVersion: z.string().optional(),
    generation: z.int().optional(),
    creationTimestamp: z.string().nullish(),
    deletionTimestamp: z.string().nullish(),
    deletionGracePeriodSeconds: z.int().nullish(),
    labels: z.record(z.string(), z.string()).nullish(),
    annotations: z.record(z.string(), z.string()).nullish(),
    ownerReferences: z.array(ownerReferenceSchema).nullish(),
    finalizers: z.array(z.string()).nullish(),
    managedFields: z.array(z.unknown()).nullish(),
    selfLink: z.string().optional(),
  })
  .meta({ description: "Standard object's metadata." });

/** As a client may send it. What the server hands out has the fields of {@link ObjectMeta} filled. */
export type ObjectMetaInput = z.infer<typeof objectMetaSchema>;

/** Metadata of a stored object: the server has given it a name, an identity and a revision. */
export interface ObjectMeta extends Omit<ObjectMetaInput, 'name' | 'uid' | 'resourceVersion' | 'creationTimestamp'> {
  name: string;
  uid: string;
  resourceVersion: string;
  creationTimestamp: string;
}
