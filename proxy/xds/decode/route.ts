import { escapeRegex } from '../../../api/meta/escape-regex.ts';
import {
  HeaderValueOptionHeaderAppendAction as AppendAction,
  type HeaderValueOption,
  type RedirectAction,
  RedirectActionRedirectResponseCode as RedirectCode,
  type RetryPolicy as RetryPolicyMessage,
  type RouteAction as RouteActionMessage,
  RouteConfiguration,
  type RouteMatch as RouteMatchMessage,
  type Route as RouteMessage,
} from '../../../xds/messages.js';
import type {
  HeaderEdits,
  PathMatch,
  PathRewrite,
  RetryCondition,
  RetryPolicy,
  Route,
  RouteAction,
  RouteMatch,
  RouteTable,
  WeightedCluster,
} from '../../route/route-table.ts';
import { corsPolicy } from './cors.ts';
import { durationMs, ResourceError } from './unpack.ts';
import { valueMatch } from './value-match.ts';

// Envoy: RouteAction.timeout; RetryPolicy.num_retries and retry_back_off.
const DEFAULT_TIMEOUT_MS = 15_000;
const DEFAULT_RETRIES = 1;
const DEFAULT_BACKOFF_MS = 25;
const BACKOFF_GROWTH = 10;

export function decodeRouteTable(bytes: Uint8Array): RouteTable {
  const { name, virtualHosts } = RouteConfiguration.decode(bytes);
  return {
    name,
    virtualHosts: virtualHosts.map((host) => ({
      name: host.name,
      domains: host.domains,
      routes: host.routes.map((route, at) => decodeRoute(route, `${host.name}/${route.name === '' ? at : route.name}`)),
    })),
  };
}

function decodeRoute(message: RouteMessage, where: string): Route {
  if (message.match === null) throw new ResourceError(`route "${where}": has no match`);
  try {
    return {
      name: where,
      match: decodeMatch(message.match),
      action: decodeAction(message, message.match),
      requestHeaders: headerEdits(message.requestHeadersToAdd, message.requestHeadersToRemove),
      responseHeaders: headerEdits(message.responseHeadersToAdd, message.responseHeadersToRemove),
      cors: corsPolicy(message.typedPerFilterConfig),
    };
  } catch (error) {
    if (error instanceof ResourceError) throw new ResourceError(`route "${where}": ${error.message}`);
    throw error;
  }
}

function decodeMatch(match: RouteMatchMessage): RouteMatch {
  const methods = match.headers.filter(({ name }) => name === ':method');
  const method = match.connectMatcher === null ? methods[0]?.stringMatch?.exact : 'CONNECT';
  if (methods.length > 0 && method == null) throw new ResourceError('method: wanted an exact match');
  return {
    path: pathMatch(match),
    method: method ?? undefined,
    headers: match.headers.filter(({ name }) => name !== ':method').map(valueMatch),
    query: match.queryParameters.map(valueMatch),
  };
}

function pathMatch({ prefix, path, safeRegex, pathSeparatedPrefix, connectMatcher }: RouteMatchMessage): PathMatch {
  if (path !== null) return { kind: 'exact', value: path };
  if (pathSeparatedPrefix !== null) return { kind: 'prefix', value: pathSeparatedPrefix };
  if (safeRegex !== null) return { kind: 'regex', value: safeRegex.regex };
  if (connectMatcher !== null || prefix === '/' || prefix === '') return { kind: 'any' };
  // Envoy's bare prefix need not end where a path element does.
  if (prefix !== null) return { kind: 'regex', value: `${escapeRegex(prefix)}.*` };
  throw new ResourceError('match: wanted a prefix, path or regular expression');
}

function decodeAction({ route, redirect, directResponse }: RouteMessage, match: RouteMatchMessage): RouteAction {
  if (route !== null) return isConnectEnd(route, match) ? connectAction(route) : forwardAction(route, match);
  if (redirect !== null) return redirectAction(redirect, match);
  if (directResponse === null) throw new ResourceError('action: wanted route, redirect or direct response');
  const { status, body } = directResponse;
  const text = body?.inlineBytes == null ? (body?.inlineString ?? '') : new TextDecoder().decode(body.inlineBytes);
  return { kind: 'direct', status, body: text };
}

/** Without `connect_config` CONNECT itself would go on to the cluster, which is not offered: no request takes such a route. */
function isConnectEnd({ upgradeConfigs }: RouteActionMessage, { connectMatcher }: RouteMatchMessage): boolean {
  return (
    connectMatcher !== null &&
    upgradeConfigs.some(
      ({ upgradeType, enabled, connectConfig }) =>
        upgradeType === 'CONNECT' && connectConfig !== null && enabled?.value !== false,
    )
  );
}

function connectAction(action: RouteActionMessage): RouteAction {
  return {
    kind: 'connect',
    clusters: weightedClusters(action),
    retry: action.retryPolicy === null ? undefined : retryPolicy(action.retryPolicy),
  };
}

function forwardAction(action: RouteActionMessage, match: RouteMatchMessage): RouteAction {
  return {
    kind: 'forward',
    clusters: weightedClusters(action),
    timeoutMs: durationMs(action.timeout) ?? DEFAULT_TIMEOUT_MS,
    perTryTimeoutMs: durationMs(action.retryPolicy?.perTryTimeout ?? null) ?? 0,
    retry: action.retryPolicy === null ? undefined : retryPolicy(action.retryPolicy),
    rewrite: pathRewrite(action, match),
    hostRewrite: action.hostRewriteLiteral ?? undefined,
  };
}

function weightedClusters({ cluster, weightedClusters }: RouteActionMessage): readonly WeightedCluster[] {
  if (cluster !== null) return [{ cluster, weight: 1, requestHeaders: headerEdits([], []) }];
  const clusters = (weightedClusters?.clusters ?? []).map((one) => ({
    cluster: one.name,
    weight: one.weight?.value ?? 0,
    requestHeaders: headerEdits(one.requestHeadersToAdd, one.requestHeadersToRemove),
  }));
  if (clusters.every(({ weight }) => weight === 0)) throw new ResourceError('clusters: the sum of weights is 0');
  return clusters;
}

const CONDITIONS: ReadonlySet<string> = new Set<RetryCondition>([
  'connect-failure',
  'reset-before-request',
  'reset',
  'gateway-error',
]);

/** Conditions that are not known are passed over, as Envoy does: they only ever add occasions. */
function retryPolicy(policy: RetryPolicyMessage): RetryPolicy {
  const words = policy.retryOn.split(',').map((word) => word.trim());
  const baseMs = durationMs(policy.retryBackOff?.baseInterval ?? null) ?? DEFAULT_BACKOFF_MS;
  return {
    retries: policy.numRetries?.value ?? DEFAULT_RETRIES,
    on: words.filter((word): word is RetryCondition => CONDITIONS.has(word)),
    statuses: words.includes('retriable-status-codes') ? policy.retriableStatusCodes : [],
    backoffBaseMs: baseMs,
    backoffMaxMs: durationMs(policy.retryBackOff?.maxInterval ?? null) ?? baseMs * BACKOFF_GROWTH,
  };
}

function redirectAction(redirect: RedirectAction, match: RouteMatchMessage): RouteAction {
  const status = REDIRECT_STATUS.get(redirect.responseCode);
  if (status === undefined) throw new ResourceError(`redirect: response code ${redirect.responseCode} is not known`);
  const { pathRedirect } = redirect;
  return {
    kind: 'redirect',
    scheme: redirect.httpsRedirect === true ? 'https' : (redirect.schemeRedirect ?? undefined),
    host: redirect.hostRedirect === '' ? undefined : redirect.hostRedirect,
    port: redirect.portRedirect === 0 ? undefined : redirect.portRedirect,
    rewrite: pathRedirect === null ? pathRewrite(redirect, match) : { kind: 'full', value: pathRedirect },
    status,
  };
}

const REDIRECT_STATUS: ReadonlyMap<number, number> = new Map([
  [RedirectCode.MOVED_PERMANENTLY, 301],
  [RedirectCode.FOUND, 302],
  [RedirectCode.SEE_OTHER, 303],
  [RedirectCode.TEMPORARY_REDIRECT, 307],
  [RedirectCode.PERMANENT_REDIRECT, 308],
]);

/**
 * Of regular expressions only the two are known that say what the Gateway API can: `^/.*$` puts a whole path in place, and
 * `^<prefix>/*` takes the matched prefix away.
 */
function pathRewrite(
  { prefixRewrite, regexRewrite }: Pick<RouteActionMessage | RedirectAction, 'prefixRewrite' | 'regexRewrite'>,
  { pathSeparatedPrefix }: RouteMatchMessage,
): PathRewrite | undefined {
  if (prefixRewrite !== null && prefixRewrite !== '') return { kind: 'prefix', value: prefixRewrite };
  if (regexRewrite === null) return undefined;
  const regex = regexRewrite.pattern?.regex ?? '';
  const substitution = regexRewrite.substitution.replaceAll('\\\\', '\\');
  if (regex === '^/.*$') return { kind: 'full', value: substitution };
  if (regex === `^${escapeRegex(pathSeparatedPrefix ?? '')}/*`) return { kind: 'prefix', value: substitution };
  throw new ResourceError(`rewrite "${regex}": is not known here`);
}

function headerEdits(additions: readonly HeaderValueOption[], remove: readonly string[]): HeaderEdits {
  const entries = additions.map(({ header, appendAction }) => {
    const pair = [header?.key.toLowerCase() ?? '', header?.value ?? ''] as const;
    switch (appendAction) {
      case AppendAction.OVERWRITE_IF_EXISTS_OR_ADD:
        return { to: 'set', pair } as const;
      case AppendAction.APPEND_IF_EXISTS_OR_ADD:
        return { to: 'add', pair } as const;
      default:
        throw new ResourceError(`header "${pair[0]}": append action ${appendAction} is not known`);
    }
  });
  return {
    set: entries.filter(({ to }) => to === 'set').map(({ pair }) => pair),
    add: entries.filter(({ to }) => to === 'add').map(({ pair }) => pair),
    remove: remove.map((name) => name.toLowerCase()),
  };
}
