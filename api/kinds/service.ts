import { z } from 'zod';
import { conditionSchema } from '../meta/condition.ts';
import { intOrStringSchema } from '../meta/int-or-percent.ts';
import { formatRequirements, selectorRequirements } from '../meta/label-selector.ts';
import { dns1035Label } from '../meta/names.ts';
import { parseOutlierPolicy } from '../meta/outlier-policy.ts';
import { OUTLIER_DETECTION } from '../meta/well-known.ts';
import { ageColumn, column, listed, nameColumn, wide } from './columns.ts';
import { protocolSchema } from './container.ts';
import { defineKind, identity, type Stored } from './define-kind.ts';
import { atomicList, mapList } from './list-schema.ts';
import { validateService } from './service-rules.ts';
import { type Unenforced, unenforcedFields } from './unenforced.ts';

const servicePortSchema = z
  .strictObject({
    name: z.string().optional().describe('Name of the port, unique in the Service; required with several ports.'),
    protocol: protocolSchema.default('TCP').describe('TCP, UDP or SCTP.'),
    appProtocol: z.string().optional().describe('What is spoken on the port: http, kubernetes.io/h2c, grpc, tcp.'),
    port: z.int32().describe('The port of the Service.'),
    targetPort: intOrStringSchema
      .optional()
      .describe('Number or name of the port on the pods; the same as port unless told.'),
    nodePort: z.int32().optional(),
  })
  // SetDefaults_Service: 0 and '' are unset.
  .transform((port) => ({ ...port, targetPort: port.targetPort || port.port }))
  .describe('A port of a Service.');

const loadBalancerSchema = z.strictObject({
  ingress: atomicList(
    z.strictObject({
      ip: z.string().optional(),
      hostname: z.string().optional(),
      ipMode: z.string().optional(),
      ports: atomicList(
        z.strictObject({ port: z.int(), protocol: protocolSchema, error: z.string().optional() }),
      ).optional(),
    }),
  ).optional(),
});

const serviceSpecSchema = z.strictObject({
  ports: mapList(servicePortSchema, 'port', 'protocol').optional().describe('The ports of the Service.'),
  selector: z
    .record(z.string(), z.string())
    .meta({ 'x-kubernetes-map-type': 'atomic' })
    .optional()
    .describe('Labels of the pods that the Service stands for.'),
  clusterIP: z.string().optional().describe("The Service's virtual address; None makes it headless."),
  clusterIPs: atomicList(z.string()).optional(),
  type: z
    .enum(['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'])
    .default('ClusterIP')
    .describe('How the Service is exposed.'),
  externalName: z.string().optional().describe('The DNS name that an ExternalName Service stands for.'),
  externalIPs: atomicList(z.string()).optional(),
  sessionAffinity: z.enum(['ClientIP', 'None']).default('None'),
  sessionAffinityConfig: z
    .strictObject({ clientIP: z.strictObject({ timeoutSeconds: z.int().optional() }).optional() })
    .optional(),
  publishNotReadyAddresses: z.boolean().optional().describe('DNS tells of pods that are not ready too.'),
  ipFamilies: atomicList(z.enum(['IPv4', 'IPv6'])).optional(),
  ipFamilyPolicy: z.enum(['SingleStack', 'PreferDualStack', 'RequireDualStack']).optional(),
  internalTrafficPolicy: z.enum(['Cluster', 'Local']).optional(),
  externalTrafficPolicy: z.enum(['Cluster', 'Local']).optional(),
  trafficDistribution: z.string().optional(),
  healthCheckNodePort: z.int().optional(),
  allocateLoadBalancerNodePorts: z.boolean().optional(),
  loadBalancerClass: z.string().optional(),
  loadBalancerIP: z.string().optional(),
  loadBalancerSourceRanges: atomicList(z.string()).optional(),
});

const serviceSchema = z
  .strictObject({
    ...identity('v1', 'Service'),
    spec: serviceSpecSchema.overwrite(withServiceDefaults).prefault({}).describe('What the Service is to be.'),
    status: z
      .strictObject({
        loadBalancer: loadBalancerSchema.prefault({}),
        conditions: mapList(conditionSchema, 'type').optional(),
      })
      .prefault({}),
  })
  .describe('A name and an address for a set of pods.');

export type Service = Stored<typeof serviceSchema>;
export type ServicePort = z.infer<typeof servicePortSchema>;
type ServiceSpec = z.infer<typeof serviceSpecSchema>;

/** Fields that are accepted and not acted on. */
const UNENFORCED: readonly Unenforced[] = [
  { path: 'sessionAffinity', unless: ['None'] },
  { path: 'externalIPs' },
  { path: 'internalTrafficPolicy', unless: ['Cluster'] },
  { path: 'externalTrafficPolicy', unless: ['Cluster'] },
  { path: 'trafficDistribution' },
  { path: 'loadBalancerClass' },
  { path: 'loadBalancerIP' },
  { path: 'loadBalancerSourceRanges' },
  { path: 'ports[*].nodePort' },
  { path: 'type', unless: ['ClusterIP', 'ExternalName'], because: 'only the ClusterIP is served' },
];

export const serviceKind = defineKind<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  createdByPut: true,
  plural: 'services',
  shortNames: ['svc'],
  categories: ['all'],
  namespaced: true,
  subresources: ['status'],
  nameRule: dns1035Label,
  schema: serviceSchema,
  columns: [
    nameColumn,
    column('Type', 'How the Service is exposed.', ({ spec }) => spec.type),
    column('Cluster-IP', 'Its virtual address.', ({ spec }) => spec.clusterIP || '<none>'),
    column('External-IP', 'Its addresses from outside.', externalAddress),
    column('Port(s)', 'Its ports.', ({ spec }) => listed(spec.ports?.map(portWord))),
    ageColumn,
    wide(column('Selector', 'Labels of its pods.', selectorWords)),
  ],
  selectableFields: {
    'spec.clusterIP': ({ spec }) => spec.clusterIP ?? '',
    'spec.type': ({ spec }) => spec.type,
  },
  validate: validateService,
  warnings: ({ metadata, spec }) => [
    ...outlierWarnings(metadata.annotations?.[OUTLIER_DETECTION]),
    ...(spec.externalName && spec.type !== 'ExternalName'
      ? ['spec.externalName is ignored when spec.type is not "ExternalName"']
      : []),
    ...unenforcedFields(spec, 'spec', UNENFORCED),
  ],
});

function outlierWarnings(text: string | undefined): readonly string[] {
  const parsed = parseOutlierPolicy(text);
  if (!('problem' in parsed)) return [];
  return [`metadata.annotations[${OUTLIER_DETECTION}]: ${parsed.problem}; until then the defaults hold`];
}

/** Three hours: SetDefaults_Service. */
const CLIENT_IP_TIMEOUT_SECONDS = 10_800;

/** SetDefaults_Service in pkg/apis/core/v1/defaults.go; the families as a single-stack IPv4 cluster gives them. */
function withServiceDefaults(spec: ServiceSpec): ServiceSpec {
  const filled = { ...spec };
  if (spec.sessionAffinity === 'ClientIP') {
    const timeoutSeconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? CLIENT_IP_TIMEOUT_SECONDS;
    filled.sessionAffinityConfig = { clientIP: { timeoutSeconds } };
  } else delete filled.sessionAffinityConfig;
  if (spec.type === 'ExternalName') return filled;
  filled.internalTrafficPolicy ??= 'Cluster';
  filled.ipFamilies ??= ['IPv4'];
  filled.ipFamilyPolicy ??= 'SingleStack';
  const outside = spec.type !== 'ClusterIP' || (spec.externalIPs ?? []).length > 0;
  if (outside) filled.externalTrafficPolicy ??= 'Cluster';
  if (spec.type === 'LoadBalancer') filled.allocateLoadBalancerNodePorts ??= true;
  return filled;
}

/** getServiceExternalIP in printers.go. */
function externalAddress({ spec, status }: Service): string {
  if (spec.type === 'ExternalName') return spec.externalName || '<none>';
  if (spec.type !== 'LoadBalancer') return listed(spec.externalIPs);
  const ingress = (status.loadBalancer.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? []);
  const all = [...new Set([...ingress, ...(spec.externalIPs ?? [])])];
  return all.length === 0 ? '<pending>' : all.join(',');
}

function portWord({ port, nodePort, protocol }: ServicePort): string {
  return nodePort === undefined || nodePort === 0 ? `${port}/${protocol}` : `${port}:${nodePort}/${protocol}`;
}

function selectorWords({ spec }: Service): string {
  return formatRequirements(selectorRequirements({ matchLabels: spec.selector ?? {} })) || '<none>';
}
