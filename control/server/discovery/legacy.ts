import { createHash } from 'node:crypto';
import type { Endpoint } from '../http/endpoint.ts';

/* Discovery as it was before aggregation: APIVersions, APIGroupList, APIGroup, APIResourceList (meta/v1). */

export function apiVersions(endpoints: readonly Endpoint[], serverAddress: string): object {
  const versions = [...new Set(endpoints.filter(({ group }) => group === '').map(({ version }) => version))];
  return {
    kind: 'APIVersions',
    versions,
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  };
}

export function apiGroupList(endpoints: readonly Endpoint[]): object {
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groupNames(endpoints).map((name) => group(endpoints, name)),
  };
}

/** Undefined for a group that is not served. */
export function apiGroup(endpoints: readonly Endpoint[], name: string): object | undefined {
  if (!groupNames(endpoints).includes(name)) return undefined;
  return { kind: 'APIGroup', apiVersion: 'v1', ...group(endpoints, name) };
}

/** Undefined for a version that is not served. */
export function apiResourceList(
  endpoints: readonly Endpoint[],
  place: Pick<Endpoint, 'group' | 'version'>,
): object | undefined {
  const served = endpoints.filter(({ group: name, version }) => name === place.group && version === place.version);
  if (served.length === 0) return undefined;
  const groupVersion = place.group === '' ? place.version : `${place.group}/${place.version}`;
  const head = place.group === '' ? {} : { apiVersion: 'v1' };
  return { kind: 'APIResourceList', ...head, groupVersion, resources: served.map(resource) };
}

/** In the order in which they are served: kubectl takes the first that has a short name. */
export function groupNames(endpoints: readonly Endpoint[]): readonly string[] {
  return [...new Set(endpoints.map(({ group: name }) => name).filter((name) => name !== ''))];
}

export function versionsOf(endpoints: readonly Endpoint[], name: string): readonly string[] {
  return [...new Set(endpoints.filter((endpoint) => endpoint.group === name).map(({ version }) => version))];
}

function group(endpoints: readonly Endpoint[], name: string): object {
  const versions = versionsOf(endpoints, name).map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions, preferredVersion: versions[0] };
}

function resource(endpoint: Endpoint): object {
  const { resource: name, subresource, singular, namespaced, responseKind, verbs, shortNames, categories } = endpoint;
  const foreign = responseKind.group !== endpoint.group || responseKind.version !== endpoint.version;
  return {
    name: subresource === '' ? name : `${name}/${subresource}`,
    singularName: singular,
    namespaced,
    ...(foreign ? { group: responseKind.group, version: responseKind.version } : {}),
    kind: responseKind.kind,
    verbs: Object.keys(verbs).sort(),
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    ...(isStored(endpoint) ? { storageVersionHash: storageHash(endpoint) } : {}),
  };
}

function isStored({ subresource, verbs }: Endpoint): boolean {
  return subresource === '' && verbs['watch'] !== undefined;
}

/** By which clients tell that the stored version is another one now (StorageVersionHash of apiserver/pkg/endpoints/discovery). */
function storageHash({ group: name, version, responseKind }: Endpoint): string {
  const text = `${name}/${version}/${responseKind.kind}`;
  return createHash('sha256').update(text).digest().subarray(0, 8).toString('base64');
}
