import type { HttpBackendRef, HttpRoute, HttpRouteMatch, HttpRouteRule } from '../../../api/kinds/http-route.ts';
import type { HttpHeaderModifier, HttpPathModifier, HttpRouteFilter } from '../../../api/kinds/http-route-filter.ts';
import { durationMs } from '../../../api/meta/duration.ts';
import { escapeRegex } from '../../../api/meta/escape-regex.ts';
import type {
  DirectResponseActionInput,
  HeaderMatcherInput,
  HeaderValueOptionInput,
  QueryParameterMatcherInput,
  RedirectActionInput,
  RetryPolicyInput,
  RouteActionInput,
  RouteInput,
  RouteMatchInput,
  StringMatcherInput,
  WeightedClusterClusterWeightInput,
} from '../../../xds/messages.js';
import { RedirectActionRedirectResponseCode as RedirectCode } from '../../../xds/messages.js';
import { durationOf } from './any.ts';
import type { Backend } from './backend.ts';
import { isConnectRule } from './connect-rule.ts';
import { corsPolicy, preflightOf } from './cors.ts';
import { UNAVAILABLE_CLUSTER } from './names.ts';
import { connectEnd, DEFAULT_RETRY, defaultTimeoutMs } from './route-defaults.ts';
import { unsupportedRules } from './unsupported-rules.ts';

/** A route as Envoy takes it, with what decides its place among others. */
export interface RankedRoute {
  readonly message: RouteInput;
  readonly match: HttpRouteMatch;
}

export type BackendOf = (ref: HttpBackendRef, wanted?: 'bytes') => Backend;

/** One Envoy route for each match of each rule; rules that no proxy could take are left out. */
export function translateRules(route: HttpRoute, backendOf: BackendOf): readonly RankedRoute[] {
  const prefix = `${route.metadata.namespace ?? ''}/${route.metadata.name}`;
  const unsupported = new Set(unsupportedRules(route).map(({ rule }) => rule));
  return route.spec.rules.flatMap((rule, ruleIndex) =>
    (unsupported.has(rule) ? [] : rule.matches).flatMap((match, matchIndex) => {
      const message: RouteInput = {
        name: `${prefix}/${rule.name ?? ruleIndex}/${matchIndex}`,
        match: translateMatch(match),
        ...translateAction(rule, match, backendOf),
        ...headerEdits(rule.filters ?? []),
        ...corsPolicy(rule.filters ?? []),
      };
      const preflight = message.typedPerFilterConfig === undefined ? undefined : preflightOf(match);
      if (preflight === undefined) return [{ match, message }];
      return [
        { match, message },
        {
          match: preflight,
          message: { ...message, name: `${message.name}/preflight`, match: translateMatch(preflight) },
        },
      ];
    }),
  );
}

function translateMatch(match: HttpRouteMatch): RouteMatchInput {
  const isConnect = match.method === 'CONNECT';
  const headers: HeaderMatcherInput[] = firstOfEach(match.headers ?? []).map(({ type, name, value }) => ({
    name: name.toLowerCase(),
    stringMatch: stringMatch(type, value),
  }));
  if (match.method !== undefined && !isConnect)
    headers.unshift({ name: ':method', stringMatch: { exact: match.method } });
  const queryParameters: QueryParameterMatcherInput[] = (match.queryParams ?? []).map(({ type, name, value }) => ({
    name,
    stringMatch: stringMatch(type, value),
  }));
  return { ...(isConnect ? { connectMatcher: {} } : pathMatch(match.path)), headers, queryParameters };
}

function pathMatch({ type, value }: HttpRouteMatch['path']): RouteMatchInput {
  switch (type) {
    case 'Exact':
      return { path: value };
    case 'RegularExpression':
      return { safeRegex: { regex: value } };
    case 'PathPrefix': {
      const prefix = withoutTrailingSlash(value);
      return prefix === '' ? { prefix: '/' } : { pathSeparatedPrefix: prefix };
    }
    default:
      return type satisfies never;
  }
}

function stringMatch(type: 'Exact' | 'RegularExpression', value: string): StringMatcherInput {
  return type === 'Exact' ? { exact: value } : { safeRegex: { regex: value } };
}

function translateAction(rule: HttpRouteRule, match: HttpRouteMatch, backendOf: BackendOf): RouteInput {
  const redirect = rule.filters?.find(({ type }) => type === 'RequestRedirect')?.requestRedirect;
  if (redirect !== undefined) return { redirect: translateRedirect(redirect, match) };
  const isConnect = isConnectRule(rule);
  const wanted = isConnect ? 'bytes' : undefined;
  const backends = (rule.backendRefs ?? []).map((ref) => ({ ref, backend: backendOf(ref, wanted) }));
  const reachable = backends.filter(({ ref, backend }) => backend.ok && ref.weight > 0);
  // Gateway API, HTTPRouteRule.backendRefs: no valid backend, or no weight at all, answers 500.
  if (reachable.length === 0) return { directResponse: NO_BACKEND };
  const weighted = backends
    .filter(({ ref }) => ref.weight > 0)
    .map(({ ref, backend }) => weightedCluster(ref, backend.ok ? backend.cluster : UNAVAILABLE_CLUSTER));
  if (isConnect) return { route: { ...clusterOf(weighted), ...connectEnd(retryPolicy(rule)) } };
  const http2 = reachable.some(({ backend }) => backend.ok && backend.http2);
  return { route: { ...clusterOf(weighted), ...forwarding(rule, match, { http2 }) } };
}

const NO_BACKEND: DirectResponseActionInput = { status: 500 };

function weightedCluster(ref: HttpBackendRef, cluster: string): WeightedClusterClusterWeightInput {
  return { name: cluster, weight: { value: ref.weight }, ...headerEdits(ref.filters ?? []) };
}

function clusterOf(weighted: readonly WeightedClusterClusterWeightInput[]): RouteActionInput {
  const [only] = weighted;
  const plain =
    weighted.length === 1 && only?.requestHeadersToAdd === undefined && only?.requestHeadersToRemove === undefined;
  return plain && only?.name !== undefined ? { cluster: only.name } : { weightedClusters: { clusters: weighted } };
}

function forwarding(
  rule: HttpRouteRule,
  match: HttpRouteMatch,
  backend: { readonly http2: boolean },
): RouteActionInput {
  const rewrite = rule.filters?.find(({ type }) => type === 'URLRewrite')?.urlRewrite;
  const timeoutMs = milliseconds(rule.timeouts?.request) ?? defaultTimeoutMs(backend);
  return {
    timeout: durationOf(timeoutMs),
    retryPolicy: retryPolicy(rule),
    ...(rewrite?.hostname === undefined ? {} : { hostRewriteLiteral: rewrite.hostname }),
    ...(rewrite?.path === undefined ? {} : pathRewrite(rewrite.path, match)),
  };
}

/** GEP-1731: codes are tried again beside what is safe; attempts and backoff replace the defaults. */
function retryPolicy({ retry, timeouts }: HttpRouteRule): RetryPolicyInput {
  const perTryMs = milliseconds(timeouts?.backendRequest) ?? 0;
  const codes = retry?.codes ?? [];
  const baseMs = milliseconds(retry?.backoff) ?? 0;
  return {
    ...DEFAULT_RETRY,
    ...(retry?.attempts === undefined ? {} : { numRetries: { value: retry.attempts } }),
    ...(codes.length === 0
      ? {}
      : { retryOn: `${DEFAULT_RETRY.retryOn ?? ''},retriable-status-codes`, retriableStatusCodes: codes }),
    ...(baseMs === 0
      ? {}
      : { retryBackOff: { baseInterval: durationOf(baseMs), maxInterval: durationOf(10 * baseMs) } }),
    ...(perTryMs === 0 ? {} : { perTryTimeout: durationOf(perTryMs) }),
  };
}

function milliseconds(text: string | undefined): number | undefined {
  return text === undefined ? undefined : durationMs(text);
}

function translateRedirect(
  redirect: NonNullable<HttpRouteFilter['requestRedirect']>,
  match: HttpRouteMatch,
): RedirectActionInput {
  return {
    responseCode: REDIRECT_CODES[redirect.statusCode],
    ...(redirect.scheme === undefined ? {} : { schemeRedirect: redirect.scheme }),
    ...(redirect.hostname === undefined ? {} : { hostRedirect: redirect.hostname }),
    ...(redirect.port === undefined ? {} : { portRedirect: redirect.port }),
    ...(redirect.path === undefined ? {} : redirectPath(redirect.path, match)),
  };
}

const REDIRECT_CODES = {
  301: RedirectCode.MOVED_PERMANENTLY,
  302: RedirectCode.FOUND,
  303: RedirectCode.SEE_OTHER,
  307: RedirectCode.TEMPORARY_REDIRECT,
  308: RedirectCode.PERMANENT_REDIRECT,
} as const;

function redirectPath(path: HttpPathModifier, match: HttpRouteMatch): RedirectActionInput {
  return path.type === 'ReplaceFullPath' ? { pathRedirect: path.replaceFullPath ?? '' } : pathRewrite(path, match);
}

/**
 * Envoy replaces just the text of the prefix, so that `/shop` to `/` would leave `//cart` of `/shop/cart`: that case, and a
 * whole path, are told as a regular expression that takes the slashes along.
 */
function pathRewrite(
  path: HttpPathModifier,
  match: HttpRouteMatch,
): Pick<RouteActionInput, 'prefixRewrite' | 'regexRewrite'> {
  if (path.type === 'ReplaceFullPath') {
    return {
      regexRewrite: { pattern: { regex: '^/.*$' }, substitution: escapeSubstitution(path.replaceFullPath ?? '') },
    };
  }
  const replacement = withoutTrailingSlash(path.replacePrefixMatch ?? '');
  const prefix = withoutTrailingSlash(match.path.value);
  if (replacement !== '' || prefix === '')
    return { prefixRewrite: replacement === '' ? '/' : withSlashFor(prefix, replacement) };
  return { regexRewrite: { pattern: { regex: `^${escapeRegex(prefix)}/*` }, substitution: '/' } };
}

/** A match of `/` keeps its slash in Envoy, so the replacement must bring one: `/` to `/v2` of `/cart` is `/v2/cart`. */
function withSlashFor(prefix: string, replacement: string): string {
  return prefix === '' ? `${replacement}/` : replacement;
}

function withoutTrailingSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

function escapeSubstitution(text: string): string {
  return text.replaceAll('\\', String.raw`\\`);
}

type HeaderEdits = Pick<
  RouteInput,
  'requestHeadersToAdd' | 'requestHeadersToRemove' | 'responseHeadersToAdd' | 'responseHeadersToRemove'
>;

function headerEdits(filters: readonly HttpRouteFilter[]): HeaderEdits {
  const request = filters.find(({ type }) => type === 'RequestHeaderModifier')?.requestHeaderModifier;
  const response = filters.find(({ type }) => type === 'ResponseHeaderModifier')?.responseHeaderModifier;
  return {
    ...(request === undefined
      ? {}
      : { requestHeadersToAdd: additions(request), requestHeadersToRemove: request.remove ?? [] }),
    ...(response === undefined
      ? {}
      : { responseHeadersToAdd: additions(response), responseHeadersToRemove: response.remove ?? [] }),
  };
}

// HeaderValueOption.HeaderAppendAction.
const APPEND_IF_EXISTS_OR_ADD = 0;
const OVERWRITE_IF_EXISTS_OR_ADD = 2;

function additions({ set, add }: HttpHeaderModifier): readonly HeaderValueOptionInput[] {
  return [
    ...(set ?? []).map((header) => headerOption(header, OVERWRITE_IF_EXISTS_OR_ADD)),
    ...(add ?? []).map((header) => headerOption(header, APPEND_IF_EXISTS_OR_ADD)),
  ];
}

function headerOption({ name, value }: { name: string; value: string }, appendAction: number): HeaderValueOptionInput {
  return { header: { key: name.toLowerCase(), value }, appendAction };
}

/** Of matches on names that mean the same header the first counts (HTTPHeaderMatch of the Gateway API). */
function firstOfEach<Match extends { readonly name: string }>(matches: readonly Match[]): readonly Match[] {
  const names = matches.map(({ name }) => name.toLowerCase());
  return matches.filter((_, index) => names.indexOf(names[index] ?? '') === index);
}
