import type { Endpoint } from '../http/endpoint.ts';
import { groupNames, versionsOf } from './legacy.ts';

/* Aggregated discovery: apidiscovery.k8s.io/v2 APIGroupDiscoveryList, one for /api and one for /apis (KEP-3352). */

export const AGGREGATED_TYPE = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** `core` for /api, whose one group has no name; `groups` for /apis. */
export function aggregatedDiscovery(endpoints: readonly Endpoint[], part: 'core' | 'groups'): object {
  const names = part === 'core' ? [''] : groupNames(endpoints);
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: names.map((name) => ({
      metadata: name === '' ? {} : { name },
      versions: versionsOf(endpoints, name).map((version) => ({
        version,
        resources: resources(endpoints.filter((endpoint) => endpoint.group === name && endpoint.version === version)),
        freshness: 'Current',
      })),
    })),
  };
}

function resources(endpoints: readonly Endpoint[]): readonly object[] {
  const names = [...new Set(endpoints.map(({ resource }) => resource))];
  return names.flatMap((name) => {
    const main = endpoints.find(({ resource, subresource }) => resource === name && subresource === '');
    if (main === undefined) return [];
    const subresources = endpoints.filter(({ resource, subresource }) => resource === name && subresource !== '');
    return [
      {
        resource: name,
        responseKind: shownKind(main),
        scope: main.namespaced ? 'Namespaced' : 'Cluster',
        singularResource: main.singular,
        verbs: Object.keys(main.verbs).sort(),
        ...(main.shortNames.length === 0 ? {} : { shortNames: main.shortNames }),
        ...(main.categories.length === 0 ? {} : { categories: main.categories }),
        ...(subresources.length === 0 ? {} : { subresources: subresources.map(subresourceEntry) }),
      },
    ];
  });
}

function subresourceEntry(endpoint: Endpoint): object {
  const { subresource, verbs } = endpoint;
  return { subresource, responseKind: shownKind(endpoint), verbs: Object.keys(verbs).sort() };
}

/** Of the built-in groups the group and version are told only where they are others than the resource's own. */
function shownKind({ group, version, responseKind, kind }: Endpoint): object {
  const own = responseKind.group === group && responseKind.version === version;
  return own && kind?.custom !== true ? { group: '', version: '', kind: responseKind.kind } : responseKind;
}
