/**
 * Host names of the Gateway API: exact (`shop.example`) or with a wildcard for one or more first labels (`*.example`);
 * `*` here stands for "none given", which is every host.
 */

export const ANY_HOST = '*';

export function matchesHost(pattern: string, host: string): boolean {
  if (pattern === ANY_HOST || pattern === host) return true;
  return (
    pattern.startsWith('*.') && host !== ANY_HOST && host.length > pattern.length - 1 && host.endsWith(pattern.slice(1))
  );
}

/**
 * What a listener's name and a route's have in common: the narrower of the two (HTTPRouteSpec.hostnames). Undefined when
 * nothing.
 */
export function intersectHosts(listener: string, route: string): string | undefined {
  if (matchesHost(listener, route)) return route;
  return matchesHost(route, listener) ? listener : undefined;
}

/**
 * Which of two patterns that match the same host comes first: more characters without a wildcard, then more at all
 * (HTTPRouteSpec.hostnames). Negative when `left` does.
 */
export function byNarrowness(left: string, right: string): number {
  return Number(isWild(left)) - Number(isWild(right)) || right.length - left.length;
}

function isWild(pattern: string): boolean {
  return pattern.startsWith('*');
}
