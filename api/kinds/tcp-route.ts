import { z } from 'zod';
import { byteRouteRuleSchema } from './byte-route-rule.ts';
import { ageColumn, nameColumn } from './columns.ts';
import { defineKind, identity, type Stored } from './define-kind.ts';
import { GATEWAY_API_GROUP, parentReferenceSchema, routeStatusSchema } from './gateway-shapes.ts';
import { atomicList } from './list-schema.ts';
import { validateTcpRoute } from './tcp-route-rules.ts';
import { type Unenforced, unenforcedFields } from './unenforced.ts';

/*
 * TCPRoute of the Gateway API's experimental channel (apis/v1alpha2/tcproute_types.go of kubernetes-sigs/gateway-api).
 */

const tcpRouteSchema = z
  .strictObject({
    ...identity('gateway.networking.k8s.io/v1alpha2', 'TCPRoute'),
    spec: z
      .strictObject({
        parentRefs: atomicList(parentReferenceSchema)
          .max(32)
          .optional()
          .describe('The Gateways that the route belongs to.'),
        useDefaultGateways: z.enum(['All', 'None']).optional(),
        rules: atomicList(byteRouteRuleSchema).min(1).max(16).describe('The first takes every connection.'),
      })
      .describe('What the route is to be.'),
    status: routeStatusSchema.optional().describe('How each parent sees the route.'),
  })
  .describe('Moves TCP connections from Gateways to backends.');

export type TcpRoute = Stored<typeof tcpRouteSchema>;

/** Fields that are accepted and not acted on. */
const UNENFORCED: readonly Unenforced[] = [{ path: 'useDefaultGateways', unless: ['None'] }];

export const tcpRouteKind = defineKind<TcpRoute>({
  group: GATEWAY_API_GROUP,
  version: 'v1alpha2',
  kind: 'TCPRoute',
  plural: 'tcproutes',
  categories: ['gateway-api'],
  namespaced: true,
  subresources: ['status'],
  schema: tcpRouteSchema,
  columns: [nameColumn, { ...ageColumn, type: 'date' }],
  validate: validateTcpRoute,
  warnings: ({ spec }) => [
    ...unenforcedFields(spec, 'spec', UNENFORCED),
    // Nothing tells one connection from another.
    ...(spec.rules.length > 1 ? ['spec.rules[1]: no connection comes to it, the first rule takes all'] : []),
  ],
});
