import { z } from 'zod';
import { envFromSourceSchema, envVarSchema } from './environment.ts';
import { lifecycleSchema } from './handler.ts';
import { atomicList, mapList } from './list-schema.ts';
import { probeSchema } from './probe.ts';
import { resourceRequirementsSchema } from './resources.ts';
import { securityContextSchema } from './security-context.ts';
import { volumeMountSchema } from './volume.ts';

export const protocolSchema = z.enum(['SCTP', 'TCP', 'UDP']);

const containerPortSchema = z
  .strictObject({
    containerPort: z.int32().describe('The port that the app listens on.'),
    name: z.string().optional().describe('Unique name in the pod, for Services and probes to refer to.'),
    protocol: protocolSchema.default('TCP').describe('UDP, TCP or SCTP.'),
    hostPort: z.int32().optional(),
    hostIP: z.string().optional(),
  })
  .describe('A port of a container.');

const containerFields = {
  name: z.string().min(1).describe('Name of the container, a DNS label unique in the pod.'),
  image: z.string().optional().describe('Image name.'),
  command: atomicList(z.string()).optional().describe("The program to run instead of the image's ENTRYPOINT."),
  args: atomicList(z.string()).optional().describe("Arguments instead of the image's CMD."),
  workingDir: z.string().optional().describe("Working directory instead of the image's."),
  ports: mapList(containerPortSchema, 'containerPort', 'protocol').optional().describe('Ports to expose.'),
  envFrom: atomicList(envFromSourceSchema).optional().describe('Sources of environment variables.'),
  env: mapList(envVarSchema, 'name').optional().describe('Environment variables.'),
  resources: resourceRequirementsSchema.default(() => ({})).describe('Compute resources.'),
  resizePolicy: atomicList(z.strictObject({ resourceName: z.string(), restartPolicy: z.string() })).optional(),
  restartPolicy: z
    .enum(['Always', 'OnFailure', 'Never'])
    .optional()
    .describe('Always on an init container makes it a sidecar: it keeps running beside the containers.'),
  restartPolicyRules: atomicList(
    z.strictObject({
      action: z.string(),
      exitCodes: z.strictObject({ operator: z.string(), values: z.array(z.int()).optional() }).optional(),
    }),
  ).optional(),
  volumeMounts: mapList(volumeMountSchema, 'mountPath').optional().describe('Volumes in its file system.'),
  volumeDevices: mapList(z.strictObject({ name: z.string(), devicePath: z.string() }), 'devicePath').optional(),
  livenessProbe: probeSchema.optional().describe('The container is restarted when it fails.'),
  readinessProbe: probeSchema.optional().describe('The pod gets no traffic while it fails.'),
  startupProbe: probeSchema.optional().describe('The other probes wait until it has succeeded.'),
  lifecycle: lifecycleSchema.optional(),
  terminationMessagePath: z.string().default('/dev/termination-log'),
  terminationMessagePolicy: z.enum(['File', 'FallbackToLogsOnError']).default('File'),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).optional().describe('When to fetch the image.'),
  securityContext: securityContextSchema.optional(),
  stdin: z.boolean().optional(),
  stdinOnce: z.boolean().optional(),
  tty: z.boolean().optional(),
};

export const containerSchema = z
  .strictObject(containerFields)
  .overwrite(withPullPolicy)
  .describe('A program to run in the pod.');

export const ephemeralContainerSchema = z
  .strictObject({ ...containerFields, targetContainerName: z.string().optional() })
  .overwrite(withPullPolicy)
  .describe('A temporary container for debugging.');

export type Container = z.infer<typeof containerSchema>;

/** Always for the tag latest, said or unsaid; IfNotPresent for another tag or a digest (SetDefaults_Container). */
function withPullPolicy<C extends { image?: string | undefined; imagePullPolicy?: string | undefined }>(
  container: C,
): C {
  if (container.imagePullPolicy !== undefined) return container;
  return { ...container, imagePullPolicy: isLatest(container.image ?? '') ? 'Always' : 'IfNotPresent' };
}

function isLatest(image: string): boolean {
  if (image === '' || image.includes('@')) return false;
  const tag = /:([^:/]+)$/.exec(image)?.[1];
  return tag === undefined || tag === 'latest';
}
