import { rewritePath } from './rewrite.ts';
import type { PathMatch, RouteAction } from './route-table.ts';

type Redirect = Extract<RouteAction, { readonly kind: 'redirect' }>;

export interface RedirectedRequest {
  readonly scheme: 'http' | 'https';
  readonly authority: string;
  readonly path: string;
  /** Path and query. */
  readonly target: string;
  readonly listenerPort: number;
}

/**
 * The Location of a redirect (Gateway API, HTTPRequestRedirectFilter): an absent port is the scheme's own when the filter
 * names a scheme and the listener's otherwise; a scheme's own port is not written.
 */
export function redirectLocation(redirect: Redirect, match: PathMatch, request: RedirectedRequest): string {
  const scheme = redirect.scheme ?? request.scheme;
  const host = redirect.host ?? request.authority.replace(/:\d+$/, '');
  const schemePort = scheme === 'https' ? 443 : 80;
  const port = redirect.port ?? (redirect.scheme === undefined ? request.listenerPort : schemePort);
  const path = redirect.rewrite === undefined ? request.path : rewritePath(request.path, match, redirect.rewrite);
  const query = request.target.slice(request.path.length);
  return `${scheme}://${host}${port === schemePort ? '' : `:${port}`}${path}${query}`;
}
