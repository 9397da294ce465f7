import { z } from 'zod';
import { conditionStatusSchema } from '../meta/condition.ts';
import { timeSchema } from '../meta/time.ts';
import { atomicList, mapList } from './list-schema.ts';
import { resourceListSchema, resourceRequirementsSchema } from './resources.ts';

const podConditionSchema = z.strictObject({
  type: z.string(),
  status: conditionStatusSchema,
  observedGeneration: z.int().optional(),
  lastProbeTime: timeSchema.optional(),
  lastTransitionTime: timeSchema.optional(),
  reason: z.string().optional(),
  message: z.string().optional(),
});

const containerStateSchema = z
  .strictObject({
    waiting: z.strictObject({ reason: z.string().optional(), message: z.string().optional() }).optional(),
    running: z.strictObject({ startedAt: timeSchema.optional() }).optional(),
    terminated: z
      .strictObject({
        exitCode: z.int(),
        signal: z.int().optional(),
        reason: z.string().optional(),
        message: z.string().optional(),
        startedAt: timeSchema.optional(),
        finishedAt: timeSchema.optional(),
        containerID: z.string().optional(),
      })
      .optional(),
  })
  .describe('One of waiting, running and terminated; none of them is waiting.');

const containerStatusSchema = z.strictObject({
  name: z.string(),
  state: containerStateSchema.default(() => ({})).describe("The container's present state."),
  lastState: containerStateSchema.default(() => ({})).describe('How it last ended.'),
  ready: z.boolean().describe('Whether it passes its readiness probe.'),
  restartCount: z.int().describe('How often it was restarted.'),
  image: z.string().describe('The image that it runs.'),
  imageID: z.string().default(''),
  containerID: z.string().optional(),
  started: z.boolean().optional().describe('Whether its startup probe has passed.'),
  allocatedResources: resourceListSchema.optional(),
  allocatedResourcesStatus: mapList(
    z.strictObject({
      name: z.string(),
      resources: z
        .array(
          z.strictObject({ resourceID: z.string(), health: z.string().optional(), message: z.string().optional() }),
        )
        .optional(),
    }),
    'name',
  ).optional(),
  resources: resourceRequirementsSchema.optional(),
  stopSignal: z.string().optional(),
  user: z
    .strictObject({
      linux: z.strictObject({ uid: z.int(), gid: z.int(), supplementalGroups: z.array(z.int()).optional() }).optional(),
    })
    .optional(),
  volumeMounts: mapList(
    z.strictObject({
      name: z.string(),
      mountPath: z.string(),
      readOnly: z.boolean().optional(),
      recursiveReadOnly: z.string().optional(),
      volumeStatus: z.looseObject({}).optional(),
    }),
    'mountPath',
  ).optional(),
});

const addressList = mapList(z.strictObject({ ip: z.string() }), 'ip');

export const podStatusSchema = z
  .strictObject({
    phase: z
      .enum(['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'])
      .default('Pending')
      .describe('A summary of where the pod is in its life.'),
    observedGeneration: z.int().optional(),
    conditions: mapList(podConditionSchema, 'type').optional().describe("The pod's present state, by aspect."),
    message: z.string().optional().describe('Why the pod is in this state, for people.'),
    reason: z.string().optional().describe('Why the pod is in this state, in one word: Evicted.'),
    nominatedNodeName: z.string().optional(),
    hostIP: z.string().optional().describe("The address of the pod's node."),
    hostIPs: addressList.optional(),
    podIP: z.string().optional().describe("The pod's address."),
    podIPs: addressList.optional(),
    startTime: timeSchema.optional().describe('When the agent took the pod on.'),
    initContainerStatuses: atomicList(containerStatusSchema).optional(),
    containerStatuses: atomicList(containerStatusSchema).optional().describe('One entry for each container.'),
    ephemeralContainerStatuses: atomicList(containerStatusSchema).optional(),
    qosClass: z.enum(['Guaranteed', 'Burstable', 'BestEffort']).optional(),
    resize: z.string().optional(),
    allocatedResources: resourceListSchema.optional(),
    resources: resourceRequirementsSchema.optional(),
    resourceClaimStatuses: mapList(
      z.strictObject({ name: z.string(), resourceClaimName: z.string().optional() }),
      'name',
    ).optional(),
    extendedResourceClaimStatus: z.looseObject({}).optional(),
    nodeAllocatableResourceClaimStatuses: z.array(z.looseObject({})).optional(),
  })
  .describe("What is known of the pod's state.");

export type PodStatus = z.infer<typeof podStatusSchema>;
export type PodPhase = PodStatus['phase'];
export type PodCondition = z.infer<typeof podConditionSchema>;
export type ContainerStatus = z.infer<typeof containerStatusSchema>;
export type ContainerState = z.infer<typeof containerStateSchema>;
