import { z } from 'zod';
import { timeSchema } from './time.ts';

const ownerReferenceSchema = z
  .strictObject({
    apiVersion: z.string().meta({ description: 'API version of the referent.' }),
    kind: z.string().meta({ description: 'Kind of the referent.' }),
    name: z.string().meta({ description: 'Name of the referent.' }),
    uid: z.string().meta({ description: 'UID of the referent.' }),
    controller: z.boolean().optional().meta({ description: 'The one owner that manages the object.' }),
    blockOwnerDeletion: z
      .boolean()
      .optional()
      .meta({ description: 'With foreground deletion, the owner stays until this object is gone.' }),
  })
  .meta({
    description: 'Names the object that this one belongs to. When its owners are gone, it is deleted.',
    'x-kubernetes-map-type': 'atomic',
  });

export type OwnerReference = z.infer<typeof ownerReferenceSchema>;

const managedFieldsEntrySchema = z.strictObject({
  manager: z.string().optional(),
  operation: z.enum(['Apply', 'Update']).optional(),
  apiVersion: z.string().optional(),
  time: timeSchema.optional(),
  fieldsType: z.string().optional(),
  fieldsV1: z.record(z.string(), z.unknown()).optional(),
  subresource: z.string().optional(),
});

export const objectMetaSchema = z
  .strictObject({
    name: z.string().optional().meta({ description: 'Unique within a namespace. Cannot be updated.' }),
    generateName: z
      .string()
      .optional()
      .meta({ description: 'A prefix from which the server makes a unique name, used only if name is not given.' }),
    namespace: z.string().optional().meta({ description: 'The space within which the name must be unique.' }),
    uid: z.string().optional().meta({ description: 'Unique in time and space. Set by the server. Read-only.' }),
    resourceVersion: z
      .string()
      .optional()
      .meta({ description: 'Changes with every change of the object. Opaque to clients. Read-only.' }),
    generation: z
      .int()
      .optional()
      .meta({ description: 'Rises with every change of the desired state. Set by the server. Read-only.' }),
    creationTimestamp: timeSchema.optional().meta({ description: 'When the object was created. Read-only.' }),
    deletionTimestamp: timeSchema
      .optional()
      .meta({ description: 'When the object will be deleted. Set by the server on a graceful deletion. Read-only.' }),
    deletionGracePeriodSeconds: z
      .int()
      .optional()
      .meta({ description: 'Seconds allowed for the object to end by itself before it is removed. Read-only.' }),
    labels: z
      .record(z.string(), z.string())
      .optional()
      .meta({ description: 'Keys and values to organize and select objects by.' }),
    annotations: z
      .record(z.string(), z.string())
      .optional()
      .meta({ description: 'Keys and values that tools keep with the object. Not queryable.' }),
    ownerReferences: z
      .array(ownerReferenceSchema)
      .optional()
      .meta({
        description: 'The objects that this one depends on. When all are gone, it is deleted.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['uid'],
        'x-kubernetes-patch-merge-key': 'uid',
        'x-kubernetes-patch-strategy': 'merge',
      }),
    finalizers: z.array(z.string()).optional().meta({
      description: 'Must be empty before the object is removed. Each entry is taken out by the one who set it.',
      'x-kubernetes-list-type': 'set',
      'x-kubernetes-patch-strategy': 'merge',
    }),
    managedFields: z
      .array(managedFieldsEntrySchema)
      .optional()
      .meta({ description: 'Which manager set which field.', 'x-kubernetes-list-type': 'atomic' }),
    selfLink: z.string().optional().meta({ description: 'Deprecated: no longer set by the system.' }),
  })
  .meta({ description: "Standard object's metadata." });

/** As a client may send it. What the server hands out has the fields of {@link ObjectMeta} filled. */
type ObjectMetaInput = z.infer<typeof objectMetaSchema>;

/** Metadata of a stored object: the server has given it a name, an identity and a revision. */
export interface ObjectMeta extends Omit<ObjectMetaInput, 'name' | 'uid' | 'resourceVersion' | 'creationTimestamp'> {
  name: string;
  uid: string;
  resourceVersion: string;
  creationTimestamp: string;
}
