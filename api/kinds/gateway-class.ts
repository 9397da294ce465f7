import { z } from 'zod';
import { conditionSchema, findCondition } from '../meta/condition.ts';
import { fieldInvalid } from '../meta/field-error.ts';
import { ageColumn, column, nameColumn, wide } from './columns.ts';
import { defineKind, identity, type Stored } from './define-kind.ts';
import {
  controllerNameSchema,
  GATEWAY_API_GROUP,
  groupSchema,
  kindNameSchema,
  namespaceNameSchema,
  objectNameSchema,
  waitingCondition,
} from './gateway-shapes.ts';
import { mapList } from './list-schema.ts';

const gatewayClassSchema = z
  .strictObject({
    ...identity('gateway.networking.k8s.io/v1', 'GatewayClass'),
    spec: z.strictObject({
      controllerName: controllerNameSchema.describe(
        'The controller that manages Gateways of this class: tutti.dev/gateway-controller. Cannot be changed.',
      ),
      parametersRef: z
        .strictObject({
          group: groupSchema,
          kind: kindNameSchema,
          name: objectNameSchema,
          namespace: namespaceNameSchema.optional(),
        })
        .optional(),
      description: z.string().max(64).optional().describe('What the class is for.'),
    }),
    status: z
      .strictObject({
        conditions: mapList(conditionSchema, 'type').default(() => [waitingCondition('Accepted')]),
        supportedFeatures: mapList(z.strictObject({ name: z.string() }), 'name').optional(),
      })
      .prefault({}),
  })
  .describe('A kind of Gateways, managed by one controller.');

export type GatewayClass = Stored<typeof gatewayClassSchema>;

export const gatewayClassKind = defineKind<GatewayClass>({
  group: GATEWAY_API_GROUP,
  version: 'v1',
  kind: 'GatewayClass',
  plural: 'gatewayclasses',
  shortNames: ['gc'],
  categories: ['gateway-api'],
  namespaced: false,
  subresources: ['status'],
  schema: gatewayClassSchema,
  columns: [
    nameColumn,
    column('Controller', 'Who manages its Gateways.', ({ spec }) => spec.controllerName),
    column(
      'Accepted',
      'Whether it does.',
      ({ status }) => findCondition(status.conditions, 'Accepted')?.status ?? null,
    ),
    { ...ageColumn, type: 'date' },
    wide(column('Description', 'What the class is for.', ({ spec }) => spec.description ?? null)),
  ],
  validate: ({ spec }, old) =>
    old === undefined || old.spec.controllerName === spec.controllerName
      ? []
      : [fieldInvalid('spec.controllerName', 'string', 'Value is immutable')],
});
