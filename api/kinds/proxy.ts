import { z } from 'zod';
import { timeSchema } from '../meta/time.ts';
import { ageColumn, column, integerColumn, nameColumn, wide } from './columns.ts';
import { defineKind, identity, type Stored } from './define-kind.ts';
import { mapList } from './list-schema.ts';

const proxyResourceTypeSchema = z
  .strictObject({
    type: z.enum(['listeners', 'routes', 'clusters', 'endpoints']).describe('Which type of xDS resources.'),
    sentVersion: z.string().optional().describe('The newest version sent.'),
    ackedVersion: z.string().optional().describe('The newest version that the proxy has accepted.'),
    nonce: z.string().optional().describe('The nonce of the newest response.'),
    error: z.string().optional().describe("The proxy's words when it refused the newest version (NACK)."),
    resources: z.int().optional().describe('How many resources it holds.'),
  })
  .describe('What the proxy has of one type of xDS resources.');

const proxyLoadSchema = z
  .strictObject({
    cluster: z.string().describe('The xDS cluster: service/<ns>/<service>/<port>.'),
    service: z.string().optional().describe('The Service behind it: <service>.<ns>.'),
    total: z.int().describe('Requests finished since the proxy connected first; each try of one counts.'),
    success: z.int().describe('Those that succeeded.'),
    error: z.int().describe('Those that failed, also where another try succeeded.'),
  })
  .describe('Requests that the proxy sent to one cluster.');

const proxyEjectionSchema = z
  .strictObject({
    cluster: z.string().describe('The xDS cluster: service/<ns>/<service>/<port>.'),
    address: z.string().describe('The endpoint: address and port, for a pod of the mesh its mesh port.'),
    service: z.string().optional().describe('The Service behind it: <service>.<ns>.'),
    cause: z.string().describe("Why, in Envoy's words: consecutive_gateway_failure, consecutive_5xx, success_rate …"),
    until: timeSchema.describe('Until when, or one interval of the detection longer.'),
  })
  .describe('An endpoint that the proxy sends nothing to for a while, because of its answers.');

const proxyChangeSchema = z
  .strictObject({
    id: z.string().describe('The same for every proxy that hears of the change.'),
    object: z.string().describe('What changed: HTTPRoute/<ns>/<name>, Endpoints/<ns>/<service>, Service/<ns>/<name>.'),
    changedAt: timeSchema.describe('When the control plane saw it.'),
    tookMs: z.int().optional().describe('Milliseconds from then until the proxy had accepted it; absent until it has.'),
    refused: z.string().optional().describe("The proxy's words, when it refused it."),
  })
  .describe('A change of the configuration, and when the proxy had it.');

const proxySchema = z
  .strictObject({
    ...identity('tutti.dev/v1alpha1', 'Proxy'),
    spec: z.strictObject({
      nodeId: z
        .string()
        .describe(
          'The xDS node id: sidecar/<ns>/<pod>, ingress/<ns>/<name> or grpc/<ns>/<pod>#<number of its stream>.',
        ),
      mode: z
        .enum(['sidecar', 'ingress', 'grpc'])
        .describe("Beside a pod, at the edge, or gRPC's own client in a pod."),
      podName: z.string().optional().describe('The pod that it is a sidecar of, or a client in.'),
    }),
    status: z
      .strictObject({
        connected: z.boolean().default(false).describe('Whether it has an xDS stream now.'),
        connectedSince: timeSchema.optional().describe('Since when.'),
        lastSeen: timeSchema.optional().describe('When it last said anything.'),
        version: z.string().optional().describe("The proxy's own version."),
        types: mapList(proxyResourceTypeSchema, 'type').default(() => []),
        loadCurrent: z
          .boolean()
          .default(false)
          .describe('Whether it has reported its load since it accepted its newest routes.'),
        load: mapList(proxyLoadSchema, 'cluster').default(() => []),
        ejected: z
          .array(proxyEjectionSchema)
          .default(() => [])
          .describe('Endpoints that it has ejected.'),
        changes: mapList(proxyChangeSchema, 'id')
          .default(() => [])
          .describe('The newest changes, newest first.'),
      })
      .prefault({}),
  })
  .describe(
    'A proxy of the mesh, what it has accepted and what it carried. Read-only; kept in memory by the control plane.',
  );

export type Proxy = Stored<typeof proxySchema>;
export type ProxyEjection = z.infer<typeof proxyEjectionSchema>;
export type ProxyChange = z.infer<typeof proxyChangeSchema>;
type ProxyLoad = z.infer<typeof proxyLoadSchema>;

export const proxyKind = defineKind<Proxy>({
  group: 'tutti.dev',
  version: 'v1alpha1',
  kind: 'Proxy',
  plural: 'proxies',
  shortNames: ['px'],
  categories: ['tutti'],
  namespaced: true,
  schema: proxySchema,
  columns: [
    nameColumn,
    column('Mode', "Beside a pod, at the edge, or gRPC's own client in a pod.", ({ spec }) => spec.mode),
    column('Connected', 'Whether it has an xDS stream.', ({ status }) => (status.connected ? 'True' : 'False')),
    column('Synced', 'Types of resources that it has accepted in full.', synced),
    integerColumn('Requests', 'Requests that it carried; each try of one counts.', ({ status }) =>
      sum(status.load, 'total'),
    ),
    integerColumn('Errors', 'Those that failed, also where another try succeeded.', ({ status }) =>
      sum(status.load, 'error'),
    ),
    integerColumn('Ejected', 'Endpoints that it sends nothing to for a while.', ({ status }) => status.ejected.length),
    ageColumn,
    wide(column('Refused', 'What it refused, and why.', refused)),
  ],
});

function synced({ status: { types } }: Proxy): string {
  const done = types.filter(({ sentVersion, ackedVersion }) => sentVersion === ackedVersion);
  return `${done.length}/${types.length}`;
}

function sum(load: readonly ProxyLoad[], field: 'total' | 'error'): number {
  return load.reduce((total, each) => total + each[field], 0);
}

function refused({ status: { types } }: Proxy): string {
  const errors = types.flatMap(({ type, error }) => (error === undefined ? [] : [`${type}: ${error}`]));
  return errors.length === 0 ? '<none>' : errors.join('; ');
}
