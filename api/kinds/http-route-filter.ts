import { z } from 'zod';
import {
  groupSchema,
  kindNameSchema,
  namespaceNameSchema,
  objectNameSchema,
  portSchema,
  preciseHostnameSchema,
} from './gateway-shapes.ts';
import { mapList, setList } from './list-schema.ts';

export const headerNameSchema = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$/, { error: 'must be a header name' });

const headerListSchema = mapList(
  z.strictObject({
    name: headerNameSchema,
    value: z
      .string()
      .min(1)
      .max(4096)
      .regex(/^[!-~]+([\t ]?[!-~]+)*$/, { error: 'must be a header value' }),
  }),
  'name',
).max(16);

const headerModifierSchema = z
  .strictObject({
    set: headerListSchema.optional().describe('Headers to set, in place of what is there.'),
    add: headerListSchema.optional().describe('Headers to add to what is there.'),
    remove: setList(z.string()).max(16).optional().describe('Headers to take away.'),
  })
  .describe('Changes headers.');

const pathModifierSchema = z
  .strictObject({
    type: z.enum(['ReplaceFullPath', 'ReplacePrefixMatch']),
    replaceFullPath: z.string().max(1024).optional(),
    replacePrefixMatch: z.string().max(1024).optional(),
  })
  .describe('Changes the path: all of it, or the prefix that matched.');

const mirrorBackendSchema = z.strictObject({
  group: groupSchema.default(''),
  kind: kindNameSchema.default('Service'),
  name: objectNameSchema,
  namespace: namespaceNameSchema.optional(),
  port: portSchema.optional(),
});

const fields = {
  requestHeaderModifier: headerModifierSchema.optional(),
  responseHeaderModifier: headerModifierSchema.optional(),
  requestMirror: z
    .strictObject({
      backendRef: mirrorBackendSchema,
      percent: z.int().min(0).max(100).optional(),
      fraction: z.strictObject({ numerator: z.int().min(0), denominator: z.int().min(1).default(100) }).optional(),
    })
    .optional(),
  requestRedirect: z
    .strictObject({
      scheme: z.enum(['http', 'https']).optional(),
      hostname: preciseHostnameSchema.optional(),
      path: pathModifierSchema.optional(),
      port: portSchema.optional(),
      statusCode: z
        .union([z.literal(301), z.literal(302), z.literal(303), z.literal(307), z.literal(308)])
        .default(302),
    })
    .optional(),
  urlRewrite: z
    .strictObject({ hostname: preciseHostnameSchema.optional(), path: pathModifierSchema.optional() })
    .optional(),
  cors: z
    .strictObject({
      allowOrigins: setList(z.string()).optional(),
      allowCredentials: z.boolean().optional(),
      allowMethods: setList(z.string()).optional(),
      allowHeaders: setList(z.string()).optional(),
      exposeHeaders: setList(z.string()).optional(),
      maxAge: z.int().min(1).default(5),
    })
    .optional(),
  extensionRef: z.strictObject({ group: groupSchema, kind: kindNameSchema, name: objectNameSchema }).optional(),
};

/** The field that each type of filter must have, and no other may. */
export const FILTER_FIELDS = {
  RequestHeaderModifier: 'requestHeaderModifier',
  ResponseHeaderModifier: 'responseHeaderModifier',
  RequestMirror: 'requestMirror',
  RequestRedirect: 'requestRedirect',
  URLRewrite: 'urlRewrite',
  ExtensionRef: 'extensionRef',
  CORS: 'cors',
} as const satisfies Readonly<Record<string, keyof typeof fields>>;

type FilterType = keyof typeof FILTER_FIELDS;

export const httpRouteFilterSchema = z
  .strictObject({
    type: z.enum(Object.keys(FILTER_FIELDS) as [FilterType, ...FilterType[]]).describe('Which filter it is.'),
    ...fields,
  })
  .describe('Changes requests or answers on their way.');

export type HttpRouteFilter = z.infer<typeof httpRouteFilterSchema>;
export type HttpHeaderModifier = z.infer<typeof headerModifierSchema>;
export type HttpPathModifier = z.infer<typeof pathModifierSchema>;
