import type { GroupVersionKind } from '../../../api/kinds/kind.ts';
import type { Endpoint } from '../http/endpoint.ts';
import { PATCH_TYPES } from '../http/patch-body.ts';
import { componentName, kindSchema, type OpenApiSchema } from './component.ts';

/** One group version in OpenAPI 3.0: what kubectl's explain, apply and validation read of a server. */
export function groupDocument(
  endpoints: readonly Endpoint[],
  { group, version }: Pick<Endpoint, 'group' | 'version'>,
  serverVersion: string,
): object {
  const served = endpoints.filter((endpoint) => endpoint.group === group && endpoint.version === version);
  return {
    openapi: '3.0.0',
    info: { title: 'Tutti', version: serverVersion },
    paths: Object.fromEntries(served.flatMap((endpoint) => paths(endpoint))),
    components: { schemas: Object.fromEntries(served.flatMap((endpoint) => components(endpoint))) },
  };
}

function components({ kind, subresource }: Endpoint): readonly (readonly [string, OpenApiSchema])[] {
  if (kind === undefined || subresource !== '') return [];
  const list = { ...kind, kind: `${kind.kind}List` };
  const { group, version } = kind;
  return [
    [componentName(kind), kindSchema(kind)],
    [
      componentName(list),
      {
        type: 'object',
        description: `${list.kind} is a list of ${kind.kind}.`,
        properties: {
          apiVersion: { type: 'string' },
          kind: { type: 'string' },
          metadata: { type: 'object' },
          items: { type: 'array', items: reference(kind) },
        },
        required: ['items'],
        'x-kubernetes-group-version-kind': [{ group, version, kind: list.kind }],
      },
    ],
  ];
}

/** The verbs on one object are at its own path, the others at the collection's. */
const ON_COLLECTION = ['list', 'watch', 'create', 'deletecollection'];
const METHODS: Readonly<Record<string, string>> = {
  get: 'get',
  list: 'get',
  create: 'post',
  update: 'put',
  patch: 'patch',
  delete: 'delete',
  deletecollection: 'delete',
};

function paths(endpoint: Endpoint): readonly (readonly [string, object])[] {
  const { group, version, namespaced, resource, subresource } = endpoint;
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const collection = `${root}${namespaced ? '/namespaces/{namespace}' : ''}/${resource}`;
  const object = `${collection}/{name}${subresource === '' ? '' : `/${subresource}`}`;
  const verbs = Object.keys(endpoint.verbs);
  const at = (path: string, wanted: readonly string[]): readonly (readonly [string, object])[] => {
    const operations = wanted.flatMap((verb) => {
      const method = METHODS[verb];
      return method === undefined ? [] : [[method, operation(endpoint, verb)] as const];
    });
    return operations.length === 0
      ? []
      : [[path, { ...Object.fromEntries(operations), parameters: pathParameters(path) }]];
  };
  return [
    ...at(collection, subresource === '' ? verbs.filter((verb) => ON_COLLECTION.includes(verb)) : []),
    ...at(object, subresource === '' ? verbs.filter((verb) => !ON_COLLECTION.includes(verb)) : verbs),
  ];
}

function operation({ responseKind, kind, subresource }: Endpoint, verb: string): object {
  const schema = kind !== undefined && subresource !== 'scale' ? reference(kind) : { type: 'object' };
  return {
    'x-kubernetes-action': verb === 'create' ? 'post' : verb === 'update' ? 'put' : verb,
    'x-kubernetes-group-version-kind': gvk(responseKind),
    parameters: queryParameters(verb),
    ...requestBody(verb, schema),
    responses: { '200': { description: 'OK', content: { 'application/json': { schema } } } },
  };
}

function requestBody(verb: string, schema: OpenApiSchema): object {
  if (verb === 'patch') {
    // Any JSON: what a patch looks like, its content type says.
    const content = Object.fromEntries(Object.keys(PATCH_TYPES).map((type) => [type, { schema: { type: 'object' } }]));
    return { requestBody: { required: true, content } };
  }
  if (verb !== 'create' && verb !== 'update') return {};
  const content = { 'application/json': { schema }, 'application/yaml': { schema } };
  return { requestBody: { required: true, content } };
}

const QUERY: Readonly<Record<string, string>> = {
  dryRun: 'All: everything is done but the storing.',
  fieldManager: 'Who writes.',
  fieldValidation: 'What happens to unknown and duplicate fields: Ignore, Warn or Strict.',
  labelSelector: 'Selects by labels.',
  fieldSelector: 'Selects by fields.',
  limit: 'The most objects in one answer.',
  continue: 'Where the list goes on.',
  resourceVersion: 'At or after which state of the store.',
  propagationPolicy: 'What happens to dependents: Background, Foreground or Orphan.',
  gracePeriodSeconds: 'Seconds until the object is removed.',
};
const WRITING = ['dryRun', 'fieldManager', 'fieldValidation'];
const READING = ['labelSelector', 'fieldSelector', 'limit', 'continue', 'resourceVersion'];
const DELETING = ['dryRun', 'propagationPolicy', 'gracePeriodSeconds'];

function queryParameters(verb: string): readonly object[] {
  if (verb === 'create' || verb === 'update' || verb === 'patch') return WRITING.map(queryParameter);
  if (verb === 'delete' || verb === 'deletecollection') return DELETING.map(queryParameter);
  return verb === 'list' || verb === 'watch' ? READING.map(queryParameter) : [];
}

function queryParameter(name: string): object {
  return { name, in: 'query', description: QUERY[name] ?? '', schema: { type: 'string', uniqueItems: true } };
}

function pathParameters(path: string): readonly object[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', uniqueItems: true },
  }));
}

function gvk({ group, version, kind }: GroupVersionKind): GroupVersionKind {
  return { group, version, kind };
}

function reference(kind: GroupVersionKind): OpenApiSchema {
  return { $ref: `#/components/schemas/${componentName(kind)}` };
}
