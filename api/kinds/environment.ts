import { z } from 'zod';
import { quantitySchema } from '../meta/quantity.ts';

export const objectFieldSelectorSchema = z
  .strictObject({
    apiVersion: z.string().default('v1').describe('Version of the schema that the path is written in.'),
    fieldPath: z.string().min(1).describe('Path of the field: metadata.name, status.podIP.'),
  })
  .meta({ description: 'Selects a field of the pod.', 'x-kubernetes-map-type': 'atomic' });

export const resourceFieldSelectorSchema = z
  .strictObject({
    containerName: z.string().optional().describe('Container name; required for volumes.'),
    resource: z.string().min(1).describe('The resource: limits.cpu, requests.memory.'),
    divisor: quantitySchema.default('0').describe('The unit of the output; 0 stands for 1.'),
  })
  .meta({ description: 'Selects a resource of the container.', 'x-kubernetes-map-type': 'atomic' });

const keySelectorSchema = z
  .strictObject({
    name: z.string().default('').describe('Name of the ConfigMap or Secret.'),
    key: z.string().describe('The key to select.'),
    optional: z.boolean().optional().describe('Whether the object or its key may be missing.'),
  })
  .meta({ description: 'Selects a key of a ConfigMap or Secret.', 'x-kubernetes-map-type': 'atomic' });

export const envVarSchema = z
  .strictObject({
    name: z.string().min(1).describe('Name of the environment variable.'),
    value: z.string().optional().describe('The value; $(NAME) is replaced by variables defined before.'),
    valueFrom: z
      .strictObject({
        fieldRef: objectFieldSelectorSchema.optional(),
        resourceFieldRef: resourceFieldSelectorSchema.optional(),
        configMapKeyRef: keySelectorSchema.optional(),
        secretKeyRef: keySelectorSchema.optional(),
        fileKeyRef: z
          .strictObject({
            volumeName: z.string(),
            path: z.string(),
            key: z.string(),
            optional: z.boolean().default(false),
          })
          .meta({ 'x-kubernetes-map-type': 'atomic' })
          .optional(),
      })
      .optional()
      .describe('Where the value comes from, instead of value.'),
  })
  .describe('An environment variable of a container.');

export const envFromSourceSchema = z
  .strictObject({
    prefix: z.string().optional().describe('Text to prepend to each name.'),
    configMapRef: z.strictObject({ name: z.string().default(''), optional: z.boolean().optional() }).optional(),
    secretRef: z.strictObject({ name: z.string().default(''), optional: z.boolean().optional() }).optional(),
  })
  .describe('All keys of a ConfigMap or Secret, as environment variables.');

export type EnvVar = z.infer<typeof envVarSchema>;
export type EnvFromSource = z.infer<typeof envFromSourceSchema>;
export type ResourceFieldSelector = z.infer<typeof resourceFieldSelectorSchema>;
