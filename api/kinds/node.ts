import { z } from 'zod';
import { conditionStatusSchema, findCondition } from '../meta/condition.ts';
import { fieldForbidden } from '../meta/field-error.ts';
import type { FieldError } from '../meta/status.ts';
import { timeSchema } from '../meta/time.ts';
import { ageColumn, column, listed, nameColumn, wide } from './columns.ts';
import { defineKind, identity, type Stored } from './define-kind.ts';
import { atomicList, mapList, setList } from './list-schema.ts';
import { resourceListSchema } from './resources.ts';
import { taintSchema } from './scheduling.ts';
import { taintErrors } from './taint-rules.ts';

const nodeConditionSchema = z.strictObject({
  type: z.string(),
  status: conditionStatusSchema,
  lastHeartbeatTime: timeSchema.optional(),
  lastTransitionTime: timeSchema.optional(),
  reason: z.string().optional(),
  message: z.string().optional(),
});

const nodeInfoSchema = z.strictObject({
  machineID: z.string().default(''),
  systemUUID: z.string().default(''),
  bootID: z.string().default(''),
  kernelVersion: z.string().default(''),
  osImage: z.string().default(''),
  containerRuntimeVersion: z.string().default(''),
  kubeletVersion: z.string().default(''),
  kubeProxyVersion: z.string().default(''),
  operatingSystem: z.string().default(''),
  architecture: z.string().default(''),
  swap: z.strictObject({ capacity: z.int().optional() }).optional(),
});

const nodeSchema = z
  .strictObject({
    ...identity('v1', 'Node'),
    spec: z
      .strictObject({
        podCIDR: z.string().optional().describe('The range that the addresses of its pods come from.'),
        podCIDRs: setList(z.string()).meta({ 'x-kubernetes-patch-strategy': 'merge' }).optional(),
        providerID: z.string().optional(),
        unschedulable: z.boolean().optional().describe('No new pods are placed on the node.'),
        taints: atomicList(taintSchema).optional().describe('Keep off pods that do not tolerate them.'),
        configSource: z.looseObject({}).optional().describe('Deprecated.'),
        externalID: z.string().optional().describe('Deprecated.'),
      })
      .prefault({})
      .describe('What the node is to be.'),
    status: z
      .strictObject({
        capacity: resourceListSchema.optional().describe('What the node has.'),
        allocatable: resourceListSchema.optional().describe('What pods may ask for.'),
        phase: z.enum(['Pending', 'Running', 'Terminated']).optional().describe('Deprecated.'),
        conditions: mapList(nodeConditionSchema, 'type').optional(),
        addresses: mapList(z.strictObject({ type: z.string(), address: z.string() }), 'type').optional(),
        daemonEndpoints: z
          .strictObject({ kubeletEndpoint: z.strictObject({ Port: z.int() }).default(() => ({ Port: 0 })) })
          .prefault({})
          .describe('Where the agent answers.'),
        nodeInfo: nodeInfoSchema.prefault({}).describe('What the node runs.'),
        images: atomicList(
          z.strictObject({ names: atomicList(z.string()).optional(), sizeBytes: z.int().optional() }),
        ).optional(),
        volumesInUse: atomicList(z.string()).optional(),
        volumesAttached: atomicList(z.strictObject({ name: z.string(), devicePath: z.string() })).optional(),
        config: z.looseObject({}).optional(),
        declaredFeatures: atomicList(z.string()).optional(),
        features: z.strictObject({ supplementalGroupsPolicy: z.boolean().optional() }).optional(),
        runtimeHandlers: atomicList(
          z.strictObject({
            name: z.string().optional(),
            features: z
              .strictObject({
                recursiveReadOnlyMounts: z.boolean().optional(),
                userNamespaces: z.boolean().optional(),
              })
              .optional(),
          }),
        ).optional(),
      })
      // SetDefaults_NodeStatus: all that there is may be asked for, unless told.
      .overwrite((status) =>
        status.allocatable === undefined && status.capacity !== undefined
          ? { ...status, allocatable: status.capacity }
          : status,
      )
      .prefault({})
      .describe('What the node is. Its agent writes it.'),
  })
  .describe('A machine that runs pods.');

export type Node = Stored<typeof nodeSchema>;
export type NodeCondition = z.infer<typeof nodeConditionSchema>;

export const nodeKind = defineKind<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  shortNames: ['no'],
  namespaced: false,
  subresources: ['status'],
  schema: nodeSchema,
  columns: [
    nameColumn,
    column('Status', 'Whether the node is ready for pods.', statusWords),
    column('Roles', "The node's roles, from its labels.", (node) => listed(roles(node))),
    ageColumn,
    column('Version', 'The version of its agent.', ({ status }) => status.nodeInfo.kubeletVersion),
    wide(column('Internal-IP', 'Its address in the cluster.', (node) => address(node, 'InternalIP'))),
    wide(column('External-IP', 'Its address from outside.', (node) => address(node, 'ExternalIP'))),
    wide(column('OS-Image', 'Its operating system.', ({ status }) => status.nodeInfo.osImage || '<unknown>')),
    wide(column('Kernel-Version', 'Its kernel.', ({ status }) => status.nodeInfo.kernelVersion || '<unknown>')),
    wide(
      column(
        'Container-Runtime',
        'Its runtime driver.',
        ({ status }) => status.nodeInfo.containerRuntimeVersion || '<unknown>',
      ),
    ),
  ],
  selectableFields: { 'spec.unschedulable': ({ spec }) => String(spec.unschedulable ?? false) },
  validate: ({ spec }, old) => [
    ...givenOnce('spec.podCIDRs', 'podCIDR', spec.podCIDR, old?.spec.podCIDR),
    ...givenOnce('spec.providerID', 'providerID', spec.providerID, old?.spec.providerID),
    ...taintErrors(spec.taints ?? []),
  ],
  warnings: ({ spec }) =>
    (spec.taints ?? []).flatMap(({ effect }, index) =>
      effect === 'NoSchedule'
        ? []
        : [`spec.taints[${index}].effect: not enforced yet by Tutti (${TAINT_GAPS[effect]})`],
    ),
});

/** ValidateNodeUpdate: what a node was given stays. */
function givenOnce(
  field: string,
  name: string,
  value: string | undefined,
  old: string | undefined,
): readonly FieldError[] {
  return !old || value === old
    ? []
    : [fieldForbidden(field, `node updates may not change ${name} except from "" to valid`)];
}

/** What the scheduler's filter of taints leaves out. */
const TAINT_GAPS = {
  PreferNoSchedule: 'such nodes are not avoided',
  NoExecute: 'keeps new pods off and moves none',
} as const;

function statusWords({ spec, status }: Node): string {
  const ready = findCondition(status.conditions, 'Ready');
  const word = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return spec.unschedulable === true ? `${word},SchedulingDisabled` : word;
}

const ROLE_PREFIX = 'node-role.kubernetes.io/';

function roles({ metadata }: Node): readonly string[] {
  const names = Object.entries(metadata.labels ?? {}).flatMap(([key, value]) => {
    if (key.startsWith(ROLE_PREFIX)) return [key.slice(ROLE_PREFIX.length)];
    return key === 'kubernetes.io/role' && value !== '' ? [value] : [];
  });
  return [...new Set(names.filter((name) => name !== ''))].sort();
}

function address({ status }: Node, type: string): string {
  return status.addresses?.find((each) => each.type === type)?.address ?? '<none>';
}
