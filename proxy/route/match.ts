import { compileRegex } from './regex.ts';
import type { PathMatch, RouteMatch, ValueMatch } from './route-table.ts';

/** What routing may look at. `header` takes a lower-case name. */
export interface RoutedRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: string;
  header(name: string): string | undefined;
}

export type Matcher = (request: RoutedRequest) => boolean;

/** Compiles a route's conditions, all of which must hold; cheap ones are asked first. */
export function compileMatch(match: RouteMatch): Matcher {
  const conditions: Matcher[] = [];
  const { method } = match;
  if (method !== undefined) conditions.push((request) => request.method === method);
  const path = compilePath(match.path);
  if (path !== undefined) conditions.push(path);
  for (const header of match.headers) conditions.push(compileValue(header, (request) => request.header(header.name)));
  for (const query of match.query) {
    conditions.push(compileValue(query, (request) => queryValue(request.query, query.name)));
  }
  const [first, ...more] = conditions;
  if (first === undefined) return () => true;
  return more.length === 0 ? first : (request) => conditions.every((holds) => holds(request));
}

function compilePath(match: PathMatch): Matcher | undefined {
  switch (match.kind) {
    case 'any':
      return undefined;
    case 'exact':
      return (request) => request.path === match.value;
    case 'prefix':
      return compilePrefix(match.value);
    case 'regex': {
      const pattern = compileRegex(match.value);
      return (request) => pattern.matches(request.path);
    }
    default:
      return match satisfies never;
  }
}

function compilePrefix(value: string): Matcher | undefined {
  const prefix = withoutTrailingSlash(value);
  if (prefix === '') return undefined;
  return ({ path }) =>
    path.startsWith(prefix) && (path.length === prefix.length || path.charCodeAt(prefix.length) === 47);
}

/** `/a/` and `/a` are the same prefix (Gateway API, HTTPPathMatch). */
export function withoutTrailingSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

export function compileValue(match: ValueMatch, read: (request: RoutedRequest) => string | undefined): Matcher {
  if (match.kind === 'exact') return (request) => read(request) === match.value;
  const pattern = compileRegex(match.value);
  return (request) => {
    const value = read(request);
    return value !== undefined && pattern.matches(value);
  };
}

/** First value of a query parameter, decoded; undefined when it is not there. */
function queryValue(query: string, name: string): string | undefined {
  if (query === '') return undefined;
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    const key = equals < 0 ? pair : pair.slice(0, equals);
    if (decodeQuery(key) === name) return equals < 0 ? '' : decodeQuery(pair.slice(equals + 1));
  }
  return undefined;
}

function decodeQuery(text: string): string {
  if (!/[%+]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
