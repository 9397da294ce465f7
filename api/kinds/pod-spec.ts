import { z } from 'zod';
import { objectMetaSchema } from '../meta/object-meta.ts';
import { containerSchema, ephemeralContainerSchema } from './container.ts';
import { atomicList, mapList } from './list-schema.ts';
import { localObjectReferenceSchema } from './references.ts';
import { resourceListSchema, resourceRequirementsSchema } from './resources.ts';
import { affinitySchema, tolerationSchema, topologySpreadConstraintSchema } from './scheduling.ts';
import { podSecurityContextSchema } from './security-context.ts';
import { volumeSchema } from './volume.ts';

/** Defaults: SetDefaults_PodSpec in k8s.io/kubernetes/pkg/apis/core/v1/defaults.go. */
export const podSpecSchema = z
  .strictObject({
    volumes: mapList(volumeSchema, 'name')
      .meta({ 'x-kubernetes-patch-strategy': 'merge,retainKeys' })
      .optional()
      .describe('Folders and files that containers may mount.'),
    initContainers: mapList(containerSchema, 'name')
      .optional()
      .describe('Containers that run to completion, one after the other, before the others start.'),
    containers: mapList(containerSchema, 'name').describe('Containers of the pod. There must be at least one.'),
    ephemeralContainers: mapList(ephemeralContainerSchema, 'name').optional(),
    restartPolicy: z
      .enum(['Always', 'OnFailure', 'Never'])
      .default('Always')
      .describe('What happens when a container ends.'),
    terminationGracePeriodSeconds: z.int().default(30).describe('Seconds between the stop signal and the kill signal.'),
    activeDeadlineSeconds: z.int().optional(),
    dnsPolicy: z.enum(['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']).default('ClusterFirst'),
    nodeSelector: z
      .record(z.string(), z.string())
      .meta({ 'x-kubernetes-map-type': 'atomic' })
      .optional()
      .describe('Labels that a node must have for the pod to run on it.'),
    serviceAccountName: z.string().optional().describe('The ServiceAccount that gives the pod its identity.'),
    serviceAccount: z.string().optional().describe('Deprecated: use serviceAccountName.'),
    automountServiceAccountToken: z.boolean().optional(),
    nodeName: z.string().optional().describe('The node that the pod runs on. The scheduler sets it.'),
    hostNetwork: z.boolean().optional(),
    hostPID: z.boolean().optional(),
    hostIPC: z.boolean().optional(),
    hostUsers: z.boolean().optional(),
    shareProcessNamespace: z.boolean().optional(),
    securityContext: podSecurityContextSchema.default(() => ({})),
    imagePullSecrets: mapList(localObjectReferenceSchema, 'name').optional(),
    hostname: z.string().optional().describe("The pod's host name; its name by default."),
    hostnameOverride: z.string().optional(),
    setHostnameAsFQDN: z.boolean().optional(),
    subdomain: z.string().optional().describe('The headless Service under which the pod has a DNS name of its own.'),
    affinity: affinitySchema.optional(),
    schedulerName: z.string().default('default-scheduler'),
    schedulingGates: mapList(z.strictObject({ name: z.string() }), 'name').optional(),
    schedulingGroup: z.strictObject({ podGroupName: z.string().optional() }).optional(),
    tolerations: atomicList(tolerationSchema).optional(),
    topologySpreadConstraints: mapList(topologySpreadConstraintSchema, 'topologyKey', 'whenUnsatisfiable').optional(),
    hostAliases: mapList(
      z.strictObject({ ip: z.string(), hostnames: atomicList(z.string()).optional() }),
      'ip',
    ).optional(),
    priorityClassName: z.string().optional(),
    priority: z.int().optional(),
    preemptionPolicy: z.enum(['PreemptLowerPriority', 'Never']).optional(),
    dnsConfig: z
      .strictObject({
        nameservers: atomicList(z.string()).optional(),
        searches: atomicList(z.string()).optional(),
        options: atomicList(z.strictObject({ name: z.string().optional(), value: z.string().optional() })).optional(),
      })
      .optional(),
    readinessGates: atomicList(z.strictObject({ conditionType: z.string() })).optional(),
    runtimeClassName: z.string().optional().describe('The runtime driver: process.'),
    enableServiceLinks: z.boolean().optional().describe('Whether Services are told as environment variables.'),
    overhead: resourceListSchema.optional(),
    os: z.strictObject({ name: z.string() }).optional(),
    resources: resourceRequirementsSchema.optional(),
    resourceClaims: mapList(
      z.strictObject({
        name: z.string(),
        resourceClaimName: z.string().optional(),
        resourceClaimTemplateName: z.string().optional(),
      }),
      'name',
    )
      .meta({ 'x-kubernetes-patch-strategy': 'merge,retainKeys' })
      .optional(),
  })
  .overwrite(withBothAccountNames)
  .describe('What a pod is made of and how it runs.');

/** The old name of the field says what the new one does (Convert_core_PodSpec_To_v1_PodSpec). */
function withBothAccountNames<
  S extends { serviceAccountName?: string | undefined; serviceAccount?: string | undefined },
>(spec: S): S {
  const name = spec.serviceAccountName || spec.serviceAccount;
  return name ? { ...spec, serviceAccountName: name, serviceAccount: name } : spec;
}

export type PodSpec = z.infer<typeof podSpecSchema>;

export const podTemplateSchema = z
  .strictObject({
    metadata: objectMetaSchema.default(() => ({})).describe('Labels and annotations of the pods.'),
    spec: podSpecSchema.describe('The pods themselves.'),
  })
  .describe('What pods are made from.');

export type PodTemplateSpec = z.infer<typeof podTemplateSchema>;
