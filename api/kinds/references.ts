import { z } from 'zod';

export const localObjectReferenceSchema = z
  .strictObject({ name: z.string().default('').describe('Name of the referent.') })
  .meta({ description: 'Names an object in the same namespace.', 'x-kubernetes-map-type': 'atomic' });

export const objectReferenceSchema = z
  .strictObject({
    apiVersion: z.string().optional(),
    kind: z.string().optional(),
    namespace: z.string().optional(),
    name: z.string().optional(),
    uid: z.string().optional(),
    resourceVersion: z.string().optional(),
    fieldPath: z.string().optional().describe('Points into the object: spec.containers{name}.'),
  })
  .meta({ description: 'Names an object, or a part of one.', 'x-kubernetes-map-type': 'atomic' });

export type ObjectReference = z.infer<typeof objectReferenceSchema>;
