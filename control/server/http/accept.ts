import { ApiError } from '../../../api/meta/api-error.ts';

/** How an answer is to be written. */
export interface Representation {
  readonly encoding: 'json' | 'yaml';
  /** A resource as it is, as rows of a table, or its metadata alone. */
  readonly as: 'object' | 'table' | 'metadata';
}

/** One of the alternatives in an Accept header, as it was written. */
interface Clause {
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly quality: number;
}

const MEDIA_TYPES: Readonly<Record<string, Representation['encoding']>> = {
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/*': 'json',
  '*/*': 'json',
};

/** Forms that a resource can be asked for as, with `g=meta.k8s.io` and `v=v1`. */
const FORMS: Readonly<Record<string, Representation['as']>> = {
  Table: 'table',
  PartialObjectMetadata: 'metadata',
  PartialObjectMetadataList: 'metadata',
};

/**
 * The first acceptable alternative, the better quality first. Ones that we do not have, such as protobuf or the old
 * version of Table, are passed over. Throws ApiError 406 when none is left.
 */
export function negotiate(accept: string | undefined): Representation {
  for (const { type, parameters } of clauses(accept)) {
    const encoding = MEDIA_TYPES[type];
    if (encoding === undefined) continue;
    const { as } = parameters;
    if (as === undefined) return { encoding, as: 'object' };
    const form = FORMS[as];
    if (form !== undefined && parameters['g'] === 'meta.k8s.io' && parameters['v'] === 'v1')
      return { encoding, as: form };
  }
  throw ApiError.notAcceptable(
    'only the following media types are accepted: application/json, application/yaml, application/json;as=Table;v=v1;g=meta.k8s.io',
  );
}

/** Whether aggregated discovery is wanted: `application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList`. */
export function wantsAggregatedDiscovery(accept: string | undefined): boolean {
  return clauses(accept).some(
    ({ type, parameters: { g, v, as } }) =>
      type === 'application/json' && g === 'apidiscovery.k8s.io' && v === 'v2' && as === 'APIGroupDiscoveryList',
  );
}

function clauses(accept: string | undefined): readonly Clause[] {
  if (accept === undefined || accept.trim() === '') return [{ type: '*/*', parameters: {}, quality: 1 }];
  return accept
    .split(',')
    .map(clause)
    .filter(({ quality }) => quality > 0)
    .sort((left, right) => right.quality - left.quality);
}

function clause(text: string): Clause {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim());
  const parameters = Object.fromEntries(
    rest.map((parameter) => {
      const [name = '', ...value] = parameter.split('=');
      return [name.toLowerCase(), value.join('=')];
    }),
  );
  return { type: type.toLowerCase(), parameters, quality: Number(parameters['q'] ?? 1) };
}
