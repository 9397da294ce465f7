import type { RankedRoute } from './rule.ts';

/** A route among those of one host. Routes come oldest first, so that a stable sort settles what nothing else does. */
type Rank = readonly number[];

/**
 * The Gateway API's order (HTTPRouteRule.matches): exact path, longest prefix, method, most headers, most query
 * parameters; then the oldest route, the first name, and the order in the route, which is the order they come in. Where
 * regular expressions stand is left to implementations: here, between exact paths and prefixes.
 */
export function byPrecedence<T extends RankedRoute>(routes: readonly T[]): readonly T[] {
  const ranked = routes.map((route) => ({ route, rank: rankOf(route) }));
  return ranked.sort((left, right) => compareRanks(left.rank, right.rank)).map(({ route }) => route);
}

function rankOf({ match }: RankedRoute): Rank {
  const { path, method, headers, queryParams } = match;
  return [
    PATH_RANK[path.type],
    path.type === 'PathPrefix' ? -path.value.replace(/\/$/, '').length : 0,
    method === undefined ? 1 : 0,
    -(headers?.length ?? 0),
    -(queryParams?.length ?? 0),
  ];
}

const PATH_RANK = { Exact: 0, RegularExpression: 1, PathPrefix: 2 } as const;

function compareRanks(left: Rank, right: Rank): number {
  for (const [at, value] of left.entries()) {
    const difference = value - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
