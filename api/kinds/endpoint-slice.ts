import { z } from 'zod';
import { fieldImmutable } from '../meta/field-error.ts';
import { ageColumn, column, nameColumn } from './columns.ts';
import { protocolSchema } from './container.ts';
import { defineKind, identity, type Stored } from './define-kind.ts';
import { endpointSliceErrors } from './endpoint-slice-rules.ts';
import { atomicList, setList } from './list-schema.ts';
import { objectReferenceSchema } from './references.ts';

const endpointSchema = z
  .strictObject({
    addresses: setList(z.string()).describe('Addresses of the endpoint; the first is used.'),
    conditions: z
      .strictObject({
        ready: z.boolean().optional().describe('Traffic may go there.'),
        serving: z.boolean().optional().describe('Like ready, but also while terminating.'),
        terminating: z.boolean().optional().describe('The endpoint is going away.'),
      })
      .prefault({}),
    hostname: z.string().optional(),
    targetRef: objectReferenceSchema.optional().describe('The Pod behind the endpoint.'),
    nodeName: z.string().optional(),
    zone: z.string().optional(),
    hints: z
      .strictObject({
        forZones: atomicList(z.strictObject({ name: z.string() })).optional(),
        forNodes: atomicList(z.strictObject({ name: z.string() })).optional(),
      })
      .optional(),
    deprecatedTopology: z.record(z.string(), z.string()).optional(),
  })
  .describe('One place behind a Service.');

const endpointPortSchema = z.strictObject({
  name: z.string().default('').describe("The name of the Service's port."),
  protocol: protocolSchema.default('TCP'),
  port: z.int().optional().describe('The port on the pods.'),
  appProtocol: z.string().optional(),
});

const endpointSliceSchema = z
  .strictObject({
    ...identity('discovery.k8s.io/v1', 'EndpointSlice'),
    addressType: z.enum(['FQDN', 'IPv4', 'IPv6']).describe('What kind of addresses the slice holds.'),
    endpoints: atomicList(endpointSchema).default(() => []),
    ports: atomicList(endpointPortSchema).default(() => []),
  })
  .describe('Some of the endpoints of a Service.');

export type EndpointSlice = Stored<typeof endpointSliceSchema>;
export type Endpoint = z.infer<typeof endpointSchema>;
export type EndpointPort = z.infer<typeof endpointPortSchema>;

export const endpointSliceKind = defineKind<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  namespaced: true,
  schema: endpointSliceSchema,
  columns: [
    nameColumn,
    column('AddressType', 'What kind of addresses the slice holds.', ({ addressType }) => addressType),
    column('Ports', 'Ports of the endpoints.', ({ ports }) => portWords(ports)),
    column('Endpoints', 'Addresses of the endpoints.', ({ endpoints }) => addressWords(endpoints)),
    ageColumn,
  ],
  validate: (slice, old) => [
    // The type of the addresses that are there is the old one.
    ...endpointSliceErrors(old === undefined ? slice : { ...slice, addressType: old.addressType }),
    ...(old === undefined ? [] : fieldImmutable('addressType', slice.addressType, old.addressType)),
  ],
});

/** formatDiscoveryPorts in printers.go: at most three, then how many more. */
function portWords(ports: readonly EndpointPort[]): string {
  if (ports.length === 0) return '<unset>';
  const words = ports.map(({ name, port }) => (port === undefined ? name || '*' : String(port)));
  return firstThree(words);
}

/** formatDiscoveryEndpoints in printers.go. */
function addressWords(endpoints: readonly Endpoint[]): string {
  const addresses = endpoints.flatMap(({ addresses: all }) => all);
  return addresses.length === 0 ? '<unset>' : firstThree(addresses);
}

function firstThree(words: readonly string[]): string {
  const shown = words.slice(0, 3).join(',');
  return words.length > 3 ? `${shown} + ${words.length - 3} more...` : shown;
}
