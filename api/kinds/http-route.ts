import { z } from 'zod';
import { durationSchema } from '../meta/duration.ts';
import { ageColumn, column, nameColumn } from './columns.ts';
import { defineKind, identity, type Stored } from './define-kind.ts';
import {
  backendRefFields,
  GATEWAY_API_GROUP,
  hostnameSchema,
  parentReferenceSchema,
  routeStatusSchema,
  sectionNameSchema,
} from './gateway-shapes.ts';
import { headerNameSchema, httpRouteFilterSchema } from './http-route-filter.ts';
import { validateHttpRoute } from './http-route-rules.ts';
import { atomicList, mapList } from './list-schema.ts';
import { type Unenforced, unenforcedFields } from './unenforced.ts';

const valueMatchSchema = z.strictObject({
  type: z.enum(['Exact', 'RegularExpression']).default('Exact').describe('How the value is compared.'),
  name: headerNameSchema.describe('Name of the header or query parameter.'),
  value: z.string().min(1).max(4096).describe('The value to compare with.'),
});

const pathMatchSchema = z
  .strictObject({
    type: z.enum(['Exact', 'PathPrefix', 'RegularExpression']).default('PathPrefix').describe('How it is compared.'),
    value: z.string().max(1024).default('/').describe('The path to compare with.'),
  })
  .describe("Matches the request's path.");

const matchSchema = z
  .strictObject({
    path: pathMatchSchema.prefault({}),
    headers: mapList(valueMatchSchema, 'name').max(16).optional().describe('All must match.'),
    queryParams: mapList(valueMatchSchema, 'name').max(16).optional().describe('All must match.'),
    method: z
      .enum(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'])
      .optional()
      .describe("Matches the request's method."),
  })
  .describe('What a request must be like; all parts must match.');

const backendRefSchema = z
  .strictObject({
    ...backendRefFields,
    filters: atomicList(httpRouteFilterSchema).max(16).optional().describe('Applied to requests for this backend.'),
  })
  .describe('Where requests go.');

const ruleSchema = z
  .strictObject({
    name: sectionNameSchema.optional().describe('Name of the rule, unique in the route.'),
    matches: atomicList(matchSchema)
      .max(64)
      .prefault(() => [{}])
      .describe('One of them must match.'),
    filters: atomicList(httpRouteFilterSchema).max(16).optional().describe('Applied to requests that match.'),
    backendRefs: atomicList(backendRefSchema).max(16).optional().describe('Where requests go, by weight.'),
    timeouts: z
      .strictObject({
        request: durationSchema.optional().describe('For the whole answer to the client, retries included.'),
        backendRequest: durationSchema.optional().describe('For one try at a backend.'),
      })
      .optional(),
    retry: z
      .strictObject({
        codes: atomicList(z.int().min(400).max(599)).optional().describe('Statuses that are tried again.'),
        attempts: z.int().optional().describe('How often, beside the first try.'),
        backoff: durationSchema.optional().describe('The least time between tries.'),
      })
      .optional()
      .describe('When requests are tried again (GEP-1731).'),
    sessionPersistence: z
      .strictObject({
        sessionName: z.string().max(128).optional(),
        absoluteTimeout: durationSchema.optional(),
        idleTimeout: durationSchema.optional(),
        type: z.enum(['Cookie', 'Header']).default('Cookie'),
        cookieConfig: z.strictObject({ lifetimeType: z.enum(['Permanent', 'Session']).default('Session') }).optional(),
      })
      .optional(),
  })
  .describe('Requests that match, and what is done with them.');

const httpRouteSchema = z
  .strictObject({
    ...identity('gateway.networking.k8s.io/v1', 'HTTPRoute'),
    spec: z
      .strictObject({
        parentRefs: atomicList(parentReferenceSchema)
          .max(32)
          .optional()
          .describe('The Gateways, or Services, that the route belongs to.'),
        useDefaultGateways: z.enum(['All', 'None']).optional(),
        hostnames: atomicList(hostnameSchema).max(16).optional().describe('Host names that the route is for.'),
        rules: atomicList(ruleSchema)
          .min(1)
          .max(16)
          .prefault(() => [{}])
          .describe('Rules, in no order.'),
      })
      .describe('What the route is to be.'),
    status: routeStatusSchema.optional().describe('How each parent sees the route.'),
  })
  .describe('Moves HTTP requests from Gateways and Services to backends.');

export type HttpRoute = Stored<typeof httpRouteSchema>;
export type HttpRouteRule = z.infer<typeof ruleSchema>;
export type HttpRouteMatch = z.infer<typeof matchSchema>;
export type HttpBackendRef = z.infer<typeof backendRefSchema>;

/** Fields that are accepted and not acted on. */
const UNENFORCED: readonly Unenforced[] = [
  { path: 'useDefaultGateways', unless: ['None'] },
  { path: 'rules[*].sessionPersistence' },
  ...['rules[*].filters[*]', 'rules[*].backendRefs[*].filters[*]'].flatMap((filters) => [
    { path: `${filters}.requestMirror` },
    { path: `${filters}.extensionRef` },
  ]),
  { path: 'rules[*].backendRefs[*].filters[*].cors' },
];

export const httpRouteKind = defineKind<HttpRoute>({
  group: GATEWAY_API_GROUP,
  version: 'v1',
  kind: 'HTTPRoute',
  plural: 'httproutes',
  categories: ['gateway-api'],
  namespaced: true,
  subresources: ['status'],
  schema: httpRouteSchema,
  columns: [
    nameColumn,
    column('Hostnames', 'Host names that the route is for.', ({ spec }) =>
      spec.hostnames === undefined ? null : JSON.stringify(spec.hostnames),
    ),
    { ...ageColumn, type: 'date' },
  ],
  validate: validateHttpRoute,
  warnings: ({ spec }) => unenforcedFields(spec, 'spec', UNENFORCED),
});
