import { z } from 'zod';
import { type Condition, conditionSchema } from '../meta/condition.ts';
import { mapList } from './list-schema.ts';

/*
 * Shapes and defaults that the Gateway API's kinds share (apis/v1/shared_types.go of kubernetes-sigs/gateway-api). Status
 * starts with conditions that say that nobody has looked yet.
 */

export const GATEWAY_API_GROUP = 'gateway.networking.k8s.io';

/** An exact host name or one whose first label is `*`. */
export const hostnameSchema = z
  .string()
  .max(253)
  .regex(/^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/, {
    error: 'must be a host name such as shop.example or *.shop.example, not an address',
  });

const LABELS = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';

/** A host name as it is, without a `*`. */
export const preciseHostnameSchema = z
  .string()
  .min(1)
  .max(253)
  .regex(new RegExp(`^${LABELS}(\\.${LABELS})*$`), { error: 'must be a host name such as shop.example' });

/** The API group of what is referred to; empty is the core group. */
export const groupSchema = z
  .string()
  .max(253)
  .regex(new RegExp(`^$|^${LABELS}(\\.${LABELS})*$`), { error: 'must be the name of an API group' });

export const kindNameSchema = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/, { error: 'must be the name of a kind' });

export const namespaceNameSchema = z
  .string()
  .min(1)
  .max(63)
  .regex(new RegExp(`^${LABELS}$`), { error: 'must be the name of a namespace' });

export const objectNameSchema = z.string().min(1).max(253);

/** `example.com/controller` */
export const controllerNameSchema = z
  .string()
  .min(1)
  .max(253)
  .regex(new RegExp(`^${LABELS}(\\.${LABELS})*\\/[A-Za-z0-9\\/\\-._~%!$&'()*+,;=:]+$`), {
    error: 'must be a domain and a path, such as example.com/controller',
  });

export const portSchema = z.int().min(1).max(65_535);

/** Name of a listener or a rule. */
export const sectionNameSchema = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/, {
    error: 'must be lower case letters, digits, - and ., starting and ending with a letter or digit',
  });

export const secretReferenceSchema = z
  .strictObject({
    group: groupSchema.default(''),
    kind: kindNameSchema.default('Secret'),
    name: objectNameSchema,
    namespace: namespaceNameSchema.optional(),
  })
  .describe('Names a Secret.');

export const parentReferenceSchema = z
  .strictObject({
    group: groupSchema.default(GATEWAY_API_GROUP).describe('Group of the parent.'),
    kind: kindNameSchema.default('Gateway').describe('Kind of the parent: Gateway, or Service for the mesh (GAMMA).'),
    namespace: namespaceNameSchema.optional().describe("Namespace of the parent; the route's unless told."),
    name: objectNameSchema.describe('Name of the parent.'),
    sectionName: sectionNameSchema.optional().describe('The listener, or the name of the port.'),
    port: portSchema.optional().describe('The port of the parent.'),
  })
  .describe('The Gateway or Service that the route belongs to.');

export const routeStatusSchema = z.strictObject({
  parents: z
    .array(
      z.strictObject({
        parentRef: parentReferenceSchema,
        controllerName: controllerNameSchema,
        conditions: mapList(conditionSchema, 'type').default(() => []),
      }),
    )
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .default(() => []),
});

export type ParentReference = z.infer<typeof parentReferenceSchema>;
export type RouteParentStatus = z.infer<typeof routeStatusSchema>['parents'][number];

export function waitingCondition(type: string): Condition {
  return {
    type,
    status: 'Unknown',
    reason: 'Pending',
    message: 'Waiting for controller',
    lastTransitionTime: '1970-01-01T00:00:00Z',
  };
}

/** Of every kind of route: what is sent where, by weight (BackendRef in apis/v1/shared_types.go). */
export const backendRefFields = {
  group: groupSchema.default('').describe('Group of the backend; core unless told.'),
  kind: kindNameSchema.default('Service').describe('Kind of the backend.'),
  name: objectNameSchema.describe('Name of the backend.'),
  namespace: namespaceNameSchema.optional().describe("Namespace of the backend; the route's unless told."),
  port: portSchema.optional().describe("The Service's port; required for a Service."),
  weight: z.int().min(0).max(1_000_000).default(1).describe('Share of the sum over all backends of the rule.'),
};
