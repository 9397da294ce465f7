import { ApiError } from '../../../api/meta/api-error.ts';
import type { ApiCall, Endpoint, Handler } from './endpoint.ts';
import type { ResourceInfo } from './request-info.ts';

/** What kube-apiserver says of a path that it does not serve. */
export function unknownPath(): ApiError {
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'the server could not find the requested resource',
    reason: 'NotFound',
    details: {},
    code: 404,
  });
}

/** Finds the handler of a call among the endpoints. */
export class Dispatcher {
  readonly #endpoints: ReadonlyMap<string, Endpoint>;

  constructor(endpoints: readonly Endpoint[]) {
    this.#endpoints = new Map(endpoints.map((endpoint) => [keyOf(endpoint), endpoint]));
  }

  /** Throws ApiError 404 for what is not served, 405 for a verb that is not. */
  async call(call: ApiCall): Promise<void> {
    await this.#handler(call.info)(call);
  }

  #handler(info: ResourceInfo): Handler {
    const endpoint = this.#endpoints.get(keyOf(info));
    if (endpoint === undefined || !isInScope(endpoint, info)) throw unknownPath();
    const handler = Object.hasOwn(endpoint.verbs, info.verb) ? endpoint.verbs[info.verb] : undefined;
    const nowhere = info.verb === 'create' && endpoint.namespaced && info.namespace === '';
    if (handler === undefined || nowhere || !isAtItsPath(info)) {
      throw ApiError.methodUnknown();
    }
    return handler;
  }
}

function keyOf({
  group,
  version,
  resource,
  subresource,
}: Pick<Endpoint, 'group' | 'version' | 'resource' | 'subresource'>): string {
  return `${group}/${version}/${resource}/${subresource}`;
}

/** A collection is posted to, an object is not; the other way round for what writes one object. */
function isAtItsPath({ verb, name, subresource }: ResourceInfo): boolean {
  if (verb === 'create') return (name === '') === (subresource === '');
  return name !== '' || !['update', 'patch'].includes(verb);
}

function isInScope({ namespaced }: Endpoint, { namespace, verb, resource, group }: ResourceInfo): boolean {
  // Creating where no namespace is named is known, and not allowed there.
  if (namespaced) return namespace !== '' || ['list', 'watch', 'create'].includes(verb);
  return namespace === '' || (group === '' && resource === 'namespaces');
}
