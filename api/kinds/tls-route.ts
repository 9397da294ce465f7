import { z } from 'zod';
import { byteRouteRuleSchema } from './byte-route-rule.ts';
import { ageColumn, nameColumn } from './columns.ts';
import { defineKind, identity, type Stored } from './define-kind.ts';
import { GATEWAY_API_GROUP, hostnameSchema, parentReferenceSchema, routeStatusSchema } from './gateway-shapes.ts';
import { atomicList } from './list-schema.ts';
import { validateTlsRoute } from './tls-route-rules.ts';
import { type Unenforced, unenforcedFields } from './unenforced.ts';

/*
 * TLSRoute of the Gateway API's standard channel since v1.5 (apis/v1/tlsroute_types.go of kubernetes-sigs/gateway-api).
 */

const tlsRouteSchema = z
  .strictObject({
    ...identity('gateway.networking.k8s.io/v1', 'TLSRoute'),
    spec: z
      .strictObject({
        parentRefs: atomicList(parentReferenceSchema)
          .max(32)
          .optional()
          .describe('The Gateways that the route belongs to.'),
        useDefaultGateways: z.enum(['All', 'None']).optional(),
        hostnames: atomicList(hostnameSchema).min(1).max(1024).describe('Server names (SNI) that the route is for.'),
        rules: atomicList(byteRouteRuleSchema).min(1).max(1).describe('The one rule.'),
      })
      .describe('What the route is to be.'),
    status: routeStatusSchema.optional().describe('How each parent sees the route.'),
  })
  .describe('Moves TLS connections from Gateways to backends by server name, without ending them.');

export type TlsRoute = Stored<typeof tlsRouteSchema>;

/** Fields that are accepted and not acted on. */
const UNENFORCED: readonly Unenforced[] = [{ path: 'useDefaultGateways', unless: ['None'] }];

export const tlsRouteKind = defineKind<TlsRoute>({
  group: GATEWAY_API_GROUP,
  version: 'v1',
  kind: 'TLSRoute',
  plural: 'tlsroutes',
  categories: ['gateway-api'],
  namespaced: true,
  subresources: ['status'],
  schema: tlsRouteSchema,
  columns: [nameColumn, { ...ageColumn, type: 'date' }],
  validate: validateTlsRoute,
  warnings: ({ spec }) => unenforcedFields(spec, 'spec', UNENFORCED),
});
