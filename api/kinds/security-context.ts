import { z } from 'zod';
import { atomicList } from './list-schema.ts';

const seLinuxOptionsSchema = z.strictObject({
  user: z.string().optional(),
  role: z.string().optional(),
  type: z.string().optional(),
  level: z.string().optional(),
});

const profileSchema = z.strictObject({
  type: z.enum(['Localhost', 'RuntimeDefault', 'Unconfined']),
  localhostProfile: z.string().optional(),
});

const windowsOptionsSchema = z.strictObject({
  gmsaCredentialSpecName: z.string().optional(),
  gmsaCredentialSpec: z.string().optional(),
  runAsUserName: z.string().optional(),
  hostProcess: z.boolean().optional(),
});

const identityFields = {
  runAsUser: z.int().optional().describe("The UID to run the container's first process as."),
  runAsGroup: z.int().optional().describe("The GID to run the container's first process as."),
  runAsNonRoot: z.boolean().optional().describe('The container must not run as UID 0.'),
  seLinuxOptions: seLinuxOptionsSchema.optional(),
  seccompProfile: profileSchema.optional(),
  appArmorProfile: profileSchema.optional(),
  windowsOptions: windowsOptionsSchema.optional(),
};

export const securityContextSchema = z
  .strictObject({
    ...identityFields,
    capabilities: z
      .strictObject({ add: atomicList(z.string()).optional(), drop: atomicList(z.string()).optional() })
      .optional(),
    privileged: z.boolean().optional(),
    readOnlyRootFilesystem: z.boolean().optional(),
    allowPrivilegeEscalation: z.boolean().optional(),
    procMount: z.enum(['Default', 'Unmasked']).optional(),
  })
  .describe('Security settings of a container; they win over those of the pod.');

export const podSecurityContextSchema = z
  .strictObject({
    ...identityFields,
    supplementalGroups: atomicList(z.int()).optional(),
    supplementalGroupsPolicy: z.enum(['Merge', 'Strict']).optional(),
    fsGroup: z.int().optional(),
    fsGroupChangePolicy: z.enum(['OnRootMismatch', 'Always']).optional(),
    seLinuxChangePolicy: z.enum(['Recursive', 'MountOption']).optional(),
    sysctls: atomicList(z.strictObject({ name: z.string(), value: z.string() })).optional(),
  })
  .describe("Security settings of the whole pod, and defaults for its containers'.");
