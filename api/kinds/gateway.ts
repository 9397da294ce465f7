import { z } from 'zod';
import { conditionSchema, findCondition } from '../meta/condition.ts';
import { labelSelectorSchema } from '../meta/label-selector.ts';
import { ageColumn, column, nameColumn } from './columns.ts';
import { defineKind, identity, type Stored } from './define-kind.ts';
import { validateGateway } from './gateway-rules.ts';
import {
  GATEWAY_API_GROUP,
  groupSchema,
  hostnameSchema,
  kindNameSchema,
  namespaceNameSchema,
  objectNameSchema,
  portSchema,
  secretReferenceSchema,
  sectionNameSchema,
  waitingCondition,
} from './gateway-shapes.ts';
import { atomicList, mapList } from './list-schema.ts';
import { type Unenforced, unenforcedFields } from './unenforced.ts';

const routeGroupKindSchema = z.strictObject({
  group: groupSchema.default(GATEWAY_API_GROUP),
  kind: kindNameSchema,
});

const allowedRoutesSchema = z
  .strictObject({
    namespaces: z
      .strictObject({
        from: z.enum(['All', 'Selector', 'Same']).default('Same').describe('Where routes may come from.'),
        selector: labelSelectorSchema.optional().describe('Labels of the namespaces, with from: Selector.'),
      })
      .prefault({}),
    kinds: atomicList(routeGroupKindSchema).optional().describe('Which kinds of routes.'),
  })
  .describe('Which routes may attach to the listener.');

const listenerTlsSchema = z
  .strictObject({
    mode: z.enum(['Terminate', 'Passthrough']).default('Terminate').describe('Where TLS ends.'),
    certificateRefs: atomicList(secretReferenceSchema).optional().describe('Secrets with certificate and key.'),
    options: z.record(z.string(), z.string()).optional(),
  })
  .describe('TLS settings of the listener.');

const protocolNameSchema = z
  .string()
  .min(1)
  .max(255)
  .regex(
    /^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/[A-Za-z0-9]+$/,
    { error: 'must be the name of a protocol' },
  );

const listenerSchema = z
  .strictObject({
    name: sectionNameSchema.min(1).describe('Name of the listener, unique in the Gateway.'),
    hostname: hostnameSchema.optional().describe('The host name that the listener answers for; all unless told.'),
    port: portSchema.describe('The port that the listener binds.'),
    protocol: protocolNameSchema.describe('HTTP, HTTPS, TLS, TCP or UDP.'),
    tls: listenerTlsSchema.optional(),
    allowedRoutes: allowedRoutesSchema.prefault({}),
  })
  .describe('A port that the Gateway listens on.');

const caReferences = atomicList(
  z.strictObject({
    group: groupSchema,
    kind: kindNameSchema,
    name: objectNameSchema,
    namespace: namespaceNameSchema.optional(),
  }),
);

const frontendTlsSchema = z.strictObject({
  validation: z
    .strictObject({
      caCertificateRefs: caReferences,
      mode: z.enum(['AllowValidOnly', 'AllowInsecureFallback']).default('AllowValidOnly'),
    })
    .optional(),
});

const addressType = z.string().default('IPAddress');

const gatewaySchema = z
  .strictObject({
    ...identity('gateway.networking.k8s.io/v1', 'Gateway'),
    spec: z
      .strictObject({
        gatewayClassName: z.string().min(1).max(253).describe('The GatewayClass that the Gateway is of.'),
        listeners: mapList(listenerSchema, 'name').min(1).max(64).describe('The ports that the Gateway listens on.'),
        addresses: atomicList(z.strictObject({ type: addressType, value: z.string().max(253).optional() }))
          .max(16)
          .optional(),
        infrastructure: z
          .strictObject({
            labels: z.record(z.string(), z.string()).optional(),
            annotations: z.record(z.string(), z.string()).optional(),
            parametersRef: z
              .strictObject({ group: groupSchema, kind: kindNameSchema, name: objectNameSchema })
              .optional(),
          })
          .optional(),
        allowedListeners: z
          .strictObject({
            namespaces: z
              .strictObject({
                from: z.enum(['All', 'Selector', 'Same', 'None']).default('None'),
                selector: labelSelectorSchema.optional(),
              })
              .prefault({}),
          })
          .optional(),
        tls: z
          .strictObject({
            backend: z.strictObject({ clientCertificateRef: secretReferenceSchema.optional() }).optional(),
            frontend: z
              .strictObject({
                default: frontendTlsSchema,
                perPort: mapList(z.strictObject({ port: portSchema, tls: frontendTlsSchema }), 'port').optional(),
              })
              .optional(),
          })
          .optional(),
        defaultScope: z.enum(['All', 'None']).optional(),
      })
      .describe('What the Gateway is to be.'),
    status: z
      .strictObject({
        addresses: atomicList(z.strictObject({ type: addressType, value: z.string() })).optional(),
        conditions: mapList(conditionSchema, 'type').default(() => [
          waitingCondition('Accepted'),
          waitingCondition('Programmed'),
        ]),
        listeners: mapList(
          z.strictObject({
            name: z.string(),
            supportedKinds: atomicList(routeGroupKindSchema).optional(),
            attachedRoutes: z.int(),
            conditions: mapList(conditionSchema, 'type'),
          }),
          'name',
        ).optional(),
        attachedListenerSets: z.int().optional(),
      })
      .prefault({})
      .describe('What the Gateway is.'),
  })
  .describe('A door into the mesh: ports on which routes take requests.');

export type Gateway = Stored<typeof gatewaySchema>;
export type GatewayListener = z.infer<typeof listenerSchema>;

/** Fields that are accepted and not acted on. */
const UNENFORCED: readonly Unenforced[] = [
  { path: 'infrastructure' },
  { path: 'allowedListeners' },
  { path: 'tls' },
  { path: 'defaultScope', unless: ['None'] },
  { path: 'listeners[*].tls.options' },
];

export const gatewayKind = defineKind<Gateway>({
  group: GATEWAY_API_GROUP,
  version: 'v1',
  kind: 'Gateway',
  plural: 'gateways',
  shortNames: ['gtw'],
  categories: ['gateway-api'],
  namespaced: true,
  subresources: ['status'],
  schema: gatewaySchema,
  columns: [
    nameColumn,
    column('Class', 'The GatewayClass.', ({ spec }) => spec.gatewayClassName),
    column('Address', 'Where it is reached.', ({ status }) => status.addresses?.[0]?.value ?? null),
    column(
      'Programmed',
      'Whether it is set up.',
      ({ status }) => findCondition(status.conditions, 'Programmed')?.status ?? '',
    ),
    { ...ageColumn, type: 'date' },
  ],
  validate: validateGateway,
  warnings: ({ spec }) => unenforcedFields(spec, 'spec', UNENFORCED),
});
