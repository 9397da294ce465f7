import { withoutTrailingSlash } from './match.ts';
import type { PathMatch, PathRewrite } from './route-table.ts';

/** The path to forward (Gateway API, HTTPPathModifier); the query is kept by the caller. */
export function rewritePath(path: string, match: PathMatch, rewrite: PathRewrite): string {
  if (rewrite.kind === 'full') return rewrite.value;
  const matched = match.kind === 'prefix' || match.kind === 'exact' ? withoutTrailingSlash(match.value) : '';
  const rest = path.startsWith(matched) ? path.slice(matched.length) : path;
  const joined = withoutTrailingSlash(rewrite.value) + rest;
  return joined.startsWith('/') ? joined : `/${joined}`;
}
