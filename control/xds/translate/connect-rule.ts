import type { HttpRouteRule } from '../../../api/kinds/http-route.ts';

/** A rule for CONNECT: the tunnel ends at the proxy, and its bytes go to a backend. */
export function isConnectRule({ matches }: Pick<HttpRouteRule, 'matches'>): boolean {
  return matches.some(({ method }) => method === 'CONNECT');
}

/** CONNECT names a host and a port and nothing else (RFC 9110 section 9.3.6). Undefined when the rule asks for no more. */
export function connectProblem({ matches, filters = [] }: HttpRouteRule): string | undefined {
  if (matches.some(({ method }) => method !== 'CONNECT')) return 'CONNECT and other methods need rules of their own';
  if (matches.some(({ path }) => path.type !== 'PathPrefix' || path.value !== '/')) return 'CONNECT has no path';
  if (matches.some(({ queryParams = [] }) => queryParams.length > 0)) return 'CONNECT has no query';
  const [filter] = filters;
  return filter === undefined ? undefined : `filter ${filter.type}: does not apply to CONNECT`;
}
