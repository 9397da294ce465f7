import type { HttpRouteMatch } from '../../../api/kinds/http-route.ts';
import type { HttpRouteFilter } from '../../../api/kinds/http-route-filter.ts';
import { escapeRegex } from '../../../api/meta/escape-regex.ts';
import { CorsPolicy, type RouteInput, type StringMatcherInput } from '../../../xds/messages.js';
import { packAny } from './any.ts';

/** What listeners call Envoy's filter, and routes their policies for it. */
export const CORS_FILTER = 'envoy.filters.http.cors';

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': ':80', 'https:': ':443' };

/** The policy of a rule's CORS filter (Gateway API, HTTPCORSFilter); nothing when it has none. */
export function corsPolicy(filters: readonly HttpRouteFilter[]): Pick<RouteInput, 'typedPerFilterConfig'> {
  const cors = filters.find(({ type }) => type === 'CORS')?.cors;
  if (cors === undefined) return {};
  const policy = packAny(CorsPolicy, {
    allowOriginStringMatch: (cors.allowOrigins ?? []).map(originMatch),
    allowMethods: listed(cors.allowMethods),
    allowHeaders: listed(cors.allowHeaders),
    exposeHeaders: listed(cors.exposeHeaders),
    maxAge: String(cors.maxAge),
    allowCredentials: { value: cors.allowCredentials === true },
    // The rule says who may: an origin that it does not name is not the app's to allow.
    forwardNotMatchingPreflights: { value: false },
  });
  return { typedPerFilterConfig: { [CORS_FILTER]: policy } };
}

/**
 * What a browser asks with before it makes a request that the match is for: OPTIONS with the method as a field, and none of
 * the request's own fields. Undefined where the match takes it anyway.
 */
export function preflightOf(match: HttpRouteMatch): HttpRouteMatch | undefined {
  const { method, headers } = match;
  if (method === undefined && (headers ?? []).length === 0) return undefined;
  const name = 'access-control-request-method';
  const asked =
    method === undefined
      ? { type: 'RegularExpression' as const, name, value: '.+' }
      : { type: 'Exact' as const, name, value: method };
  return { ...match, method: 'OPTIONS', headers: [asked] };
}

function listed(names: readonly string[] = []): string {
  return names.includes('*') ? '*' : names.join(', ');
}

/** As browsers write origins: lower case, without the scheme's own port. `*` in a host is any number of labels, never a port. */
function originMatch(origin: string): StringMatcherInput {
  if (origin === '*') return { exact: '*' };
  const lower = origin.toLowerCase();
  const port = DEFAULT_PORTS[lower.slice(0, lower.indexOf(':') + 1)];
  const written = port !== undefined && lower.endsWith(port) ? lower.slice(0, -port.length) : lower;
  if (!written.includes('*')) return { exact: written };
  return { safeRegex: { regex: written.split('*').map(escapeRegex).join('[^/:]*') } };
}
