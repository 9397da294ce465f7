import { z } from 'zod';
import { backendRefFields, sectionNameSchema } from './gateway-shapes.ts';
import { atomicList } from './list-schema.ts';

const backendRefSchema = z
  .strictObject({
    ...backendRefFields,
  })
  .describe('Where connections go.');

/** Of TLSRoutes and TCPRoutes, whose connections are carried as bytes: TLSRouteRule and TCPRouteRule have the same fields. */
export const byteRouteRuleSchema = z
  .strictObject({
    name: sectionNameSchema.min(1).optional().describe('Name of the rule, unique in the route.'),
    backendRefs: atomicList(backendRefSchema).min(1).max(16).describe('Where connections go, by weight.'),
  })
  .describe('What is done with connections.');
