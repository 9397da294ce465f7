import { ApiError } from '../../../api/meta/api-error.ts';
import type { Attributes } from '../authz/attributes.ts';

/** What a request asks for, read from its method and URL alone (apiserver/pkg/endpoints/request/requestinfo.go). */
export type RequestInfo = (Extract<Attributes, { type: 'resource' }> & { readonly version: string }) | PathInfo;
export type ResourceInfo = Extract<RequestInfo, { type: 'resource' }>;
type PathInfo = Extract<Attributes, { type: 'path' }>;

const NAMED_VERBS: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** What follows the name of a namespace in its path and is not a resource within it. */
const NAMESPACE_SUBRESOURCES = ['status', 'finalize'];

/** The URL of a request line. Throws ApiError 400 for one that is no path. */
export function parseUrl(target: string): URL {
  const base = 'https://api.invalid';
  if (!target.startsWith('/') || !URL.canParse(base + target)) {
    throw ApiError.badRequest(`request target ${JSON.stringify(target.slice(0, 200))}: a path was wanted`);
  }
  return new URL(base + target);
}

/** Throws ApiError 400 for a path that no resource can have. */
export function requestInfo(method: string, url: URL): RequestInfo {
  const [prefix, ...rest] = segments(url.pathname);
  const path: PathInfo = { type: 'path', verb: method.toLowerCase(), path: url.pathname };
  if (prefix !== 'api' && prefix !== 'apis') return path;
  const [group, version, ...parts] = prefix === 'api' ? ['', ...rest] : rest;
  if (group === undefined || version === undefined || parts.length === 0) return path;
  const { namespace, resource, name, subresource } = resourceParts(parts);
  const verb = verbOf(method, name, url.searchParams);
  return { type: 'resource', verb, group, version, namespace, resource, name, subresource };
}

/** A query value that is there and not `0` or `false` (Convert_Slice_string_To_bool). */
export function isTrue(value: string | null): boolean {
  return value !== null && !['false', '0'].includes(value.toLowerCase());
}

function segments(pathname: string): readonly string[] {
  return pathname
    .split('/')
    .filter((segment) => segment !== '')
    .map(decodeSegment);
}

/** IsValidPathSegmentName (apimachinery/pkg/api/validation/path): a name is one segment, and keys are printable. */
function decodeSegment(segment: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(segment);
  } catch {
    throw ApiError.badRequest(`path segment ${JSON.stringify(segment)}: is not percent-encoded UTF-8`);
  }
  const why = segmentFault(decoded);
  if (why !== undefined) throw ApiError.badRequest(`Name parameter invalid: ${JSON.stringify(decoded)}: ${why}`);
  return decoded;
}

function segmentFault(segment: string): string | undefined {
  if (segment === '.' || segment === '..') return `may not be '${segment}'`;
  const odd = /[/%]/.exec(segment)?.[0];
  if (odd !== undefined) return `may not contain '${odd}'`;
  return /[^\x20-\x7e]/.test(segment) || segment.length > 253
    ? 'must be at most 253 printable ASCII characters'
    : undefined;
}

interface ResourceParts {
  readonly namespace: string;
  readonly resource: string;
  readonly name: string;
  readonly subresource: string;
}

function resourceParts(parts: readonly string[]): ResourceParts {
  const [first = '', second = '', third] = parts;
  if (first !== 'namespaces' || second === '') return { namespace: '', ...tail(parts) };
  const inside = third !== undefined && !NAMESPACE_SUBRESOURCES.includes(third);
  return { namespace: second, ...tail(inside ? parts.slice(2) : parts) };
}

function tail([resource = '', name = '', ...subresource]: readonly string[]): Omit<ResourceParts, 'namespace'> {
  return { resource, name, subresource: subresource.join('/') };
}

function verbOf(method: string, name: string, query: URLSearchParams): string {
  const verb = NAMED_VERBS[method] ?? method.toLowerCase();
  if (name !== '') return verb;
  if (verb === 'delete') return 'deletecollection';
  if (verb !== 'get') return verb;
  return isTrue(query.get('watch')) ? 'watch' : 'list';
}
