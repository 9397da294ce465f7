import type { ClusterConfig } from '../cluster/cluster-config.ts';
import type { ClusterState } from '../cluster/cluster-state.ts';
import { REQUEST_FILTERS } from '../filters/order.ts';
import { type Downstream, RequestDraft } from '../filters/request-draft.ts';
import { parentOf, traceOf } from '../filters/trace-context.ts';
import { translateHead, type WebCall, webCall } from '../grpc/web.ts';
import { upgradeToken } from '../http1/head-fields.ts';
import { renderRequest } from '../http1/render-request.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { websocketKey } from '../http1/websocket-key.ts';
import type { HttpConnectionConfig } from '../listener/listener-config.ts';
import type { Runtime } from '../runtime.ts';
import type { Reason } from '../telemetry/reason.ts';
import type { RequestTrace } from '../tracing/request-trace.ts';
import type { CompiledRoute, CompiledRouteTable } from './compiled-route-table.ts';
import type { CompiledEdits } from './header-edits.ts';
import { redirectLocation } from './redirect.ts';
import { rewritePath } from './rewrite.ts';
import type { RetryPolicy, RouteAction } from './route-table.ts';

type ForwardAction = Extract<RouteAction, { readonly kind: 'forward' }>;

/** What is to become of a request, decided from its head alone. */
export type Plan =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly reason: Reason;
      readonly body: string;
      readonly location: string;
      readonly edits: CompiledEdits | undefined;
      /** Of a request that is sampled. */
      readonly trace: RequestTrace | undefined;
    }
  | {
      readonly kind: 'forward';
      readonly cluster: ClusterState;
      readonly action: ForwardAction;
      /** Ready to be written, for every try alike. */
      readonly head: string;
      readonly upgrade: string;
      /** Of a WebSocket: the client's, or one of ours where its protocol needs none; otherwise ''. */
      readonly websocketKey: string;
      /** The handshake with the application is ours to make, and to check. */
      readonly ownHandshake: boolean;
      /** The client reads trailers. */
      readonly acceptsTrailers: boolean;
      readonly requestId: string;
      /** To be translated from and to gRPC-Web. */
      readonly web: WebCall | undefined;
      /** Of a request that is sampled. */
      readonly trace: RequestTrace | undefined;
      readonly responseEdits: CompiledEdits | undefined;
      /** What an answer of our own has beside its own fields, each line with its CRLF. */
      readonly ownLines: string;
    }
  /** CONNECT to a host of the mesh: what comes through the tunnel is read as HTTP by this very connection. */
  | { readonly kind: 'inner-http' }
  /** CONNECT to anything else: bytes. */
  | { readonly kind: 'tunnel'; readonly cluster: ClusterState; readonly retry: RetryPolicy | undefined };

/** What is forwarded. */
export type ForwardPlan = Extract<Plan, { readonly kind: 'forward' }>;
type AnswerPlan = Extract<Plan, { readonly kind: 'answer' }>;

const SLASH = 47;

export function planRequest(runtime: Runtime, http: HttpConnectionConfig, from: Downstream, head: RequestHead): Plan {
  const plan = decide(runtime, http, from, head);
  const { tracer } = runtime;
  // What is forwarded has its trace from the filters. CONNECT has none, whatever becomes of it.
  if (plan.kind !== 'answer' || tracer === undefined || head.method === 'CONNECT') return plan;
  const trace = traceOf({ tracer, head, from }, parentOf(head));
  return trace === undefined ? plan : { ...plan, trace };
}

function decide(runtime: Runtime, http: HttpConnectionConfig, from: Downstream, head: RequestHead): Plan {
  const table = runtime.routeTable(http.routeTable);
  if (table === undefined) return refuse(404, 'NR', `route table "${http.routeTable}": not known`);
  if (head.method === 'CONNECT') return planConnect(runtime, table, http, from, head);
  const found = table.find(head, head.authority, from.listenerPort);
  if (found === undefined) return refuse(404, 'NR', 'no route takes this request');
  const { action, match } = found.route;
  switch (action.kind) {
    case 'direct':
      if (head.extendedConnect && action.status < 300) return refuse(501, '', 'no WebSocket is to be had here');
      return { ...refuse(action.status, '', action.body), edits: found.responseEdits };
    case 'redirect': {
      const location = redirectLocation(action, match.path, {
        scheme: from.scheme,
        authority: head.authority,
        path: head.path,
        target: head.target,
        listenerPort: from.listenerPort,
      });
      return { ...refuse(action.status, '', ''), location, edits: found.responseEdits };
    }
    case 'forward':
      // Envoy: the filter passes over direct answers and redirects.
      if (found.cors !== undefined && http.cors) return planCors(runtime, from, head, found, action);
      return planForward(runtime, from, head, found, action, found.responseEdits);
    case 'connect':
      return refuse(404, 'NR', 'no route takes this request');
    default:
      return action satisfies never;
  }
}

function planCors(
  runtime: Runtime,
  from: Downstream,
  head: RequestHead,
  found: CompiledRoute,
  action: ForwardAction,
): Plan {
  const verdict = found.cors?.(head);
  if (verdict?.kind === 'preflight')
    return { ...refuse(200, '', ''), edits: { removes: new Set(), adds: verdict.lines } };
  if (verdict === undefined) return planForward(runtime, from, head, found, action, found.responseEdits);
  const plan = planForward(runtime, from, head, found, action, verdict.edits);
  // The page that asked may read our own answers too.
  return plan.kind === 'forward' ? { ...plan, ownLines: verdict.lines } : { ...plan, edits: verdict.edits };
}

function planForward(
  runtime: Runtime,
  from: Downstream,
  head: RequestHead,
  found: CompiledRoute,
  action: ForwardAction,
  responseEdits: CompiledEdits | undefined,
): ForwardPlan | AnswerPlan {
  const index = nextCluster(found);
  const name = action.clusters[index]?.cluster;
  // Gateway API: with all weights 0 the answer is 500; Envoy has no flag for it.
  if (name === undefined) return refuse(500, 'NC', 'no cluster of the route takes traffic');
  const cluster = runtime.cluster(name);
  if (cluster === undefined) return refuse(503, 'NC', `cluster "${name}": not known`);
  if (cluster.isFull) return refuse(503, 'UO', `cluster "${name}": too many requests at once`);

  const draft = new RequestDraft(head, from, action.hostRewrite, runtime.tracer);
  for (const filter of REQUEST_FILTERS) filter(draft);
  const web = cluster.config.protocol === 'http2' ? webCall(head) : undefined;
  if (web !== undefined) translateHead(draft, web);
  const upgrade = acceptableUpgrade(head, cluster.config);
  const ownHandshake = head.extendedConnect;
  const key = ownHandshake ? websocketKey() : upgrade === '' ? '' : (head.header('sec-websocket-key') ?? '');
  if (ownHandshake) draft.added += `sec-websocket-key: ${key}\r\n`;
  const target =
    action.rewrite === undefined || head.path.charCodeAt(0) !== SLASH
      ? head.target
      : rewritePath(head.path, found.route.match.path, action.rewrite) + head.target.slice(head.path.length);
  const line = { target, host: forwardedHost(head, action, cluster), upgrade };
  return {
    kind: 'forward',
    cluster,
    action,
    head: renderRequest(draft, line, found.requestEdits[index]),
    upgrade,
    websocketKey: key,
    ownHandshake,
    acceptsTrailers: web !== undefined || head.fields.acceptsTrailers,
    requestId: draft.requestId,
    web,
    trace: draft.trace,
    responseEdits,
    ownLines: '',
  };
}

/** Undefined leaves the client's Host as it is. HTTP/1.1 must have one, so an HTTP/1.0 request gets the service's name. */
function forwardedHost(head: RequestHead, action: ForwardAction, cluster: ClusterState): string | undefined {
  if (action.hostRewrite !== undefined) return action.hostRewrite;
  if (head.absoluteForm) return head.authority;
  return head.authority === '' ? cluster.config.service : undefined;
}

/** RFC 6455 section 4.1: a WebSocket begins with a GET of HTTP/1.1 that brings a key. Other upgrades are not offered; the request goes on without. */
function acceptableUpgrade(head: RequestHead, { protocol }: ClusterConfig): string {
  if (head.extendedConnect) return 'websocket';
  // HTTP/2 has no upgrades of requests with bodies (RFC 9113 section 8.6, RFC 8441).
  if (protocol === 'http2' && (head.fields.chunked || head.fields.contentLength > 0)) return '';
  if (head.http10 || head.method !== 'GET' || !head.fields.connectionUpgrade) return '';
  const token = upgradeToken(head.fields);
  return token === 'websocket' && head.header('sec-websocket-key') !== undefined ? token : '';
}

/** Whose turn it is of the route's clusters; -1 when none takes anything. */
function nextCluster({ weights, weightSum, split }: CompiledRoute): number {
  return weights.length === 1 && weightSum > 0 ? 0 : split.next(weights, weightSum);
}

/**
 * Whether CONNECT is offered to this request: where HTTP_PROXY points to, and where a route takes it. `client`: within a stream of HTTP/2
 * no HTTP is read.
 */
export function offersConnect(
  runtime: Runtime,
  http: HttpConnectionConfig,
  from: Downstream,
  head: RequestHead,
  client: 'http1' | 'http2',
): boolean {
  if (http.forwardProxy && client === 'http1') return true;
  const table = runtime.routeTable(http.routeTable);
  return table !== undefined && connectRoute(table, http, from, head) !== undefined;
}

/** Where HTTP_PROXY points to a port is part of a host's name; elsewhere hosts have names alone. */
function connectRoute(
  table: CompiledRouteTable,
  { forwardProxy }: HttpConnectionConfig,
  from: Downstream,
  head: RequestHead,
): CompiledRoute | undefined {
  const { authority } = head;
  const port = forwardProxy ? from.listenerPort : Number(authority.slice(authority.lastIndexOf(':') + 1));
  return table.findConnect(head, authority, port);
}

function planConnect(
  runtime: Runtime,
  table: CompiledRouteTable,
  http: HttpConnectionConfig,
  from: Downstream,
  head: RequestHead,
): Plan {
  const found = connectRoute(table, http, from, head);
  const route = found?.route.action;
  if (found !== undefined && route?.kind === 'connect') {
    return planTunnel(runtime, route.clusters[nextCluster(found)]?.cluster, route.retry);
  }
  const routes = table.routesOf(head.authority, from.listenerPort);
  if (routes.length === 0) return refuse(404, 'NR', 'no route takes this authority');
  const action = routes[0]?.route.action;
  const only = action?.kind === 'forward' ? action.clusters[0]?.cluster : undefined;
  const cluster = only === undefined ? undefined : runtime.cluster(only);
  return cluster?.config.kind === 'authority' ? { kind: 'tunnel', cluster, retry: undefined } : { kind: 'inner-http' };
}

function planTunnel(runtime: Runtime, name: string | undefined, retry: RetryPolicy | undefined): Plan {
  if (name === undefined) return refuse(500, 'NC', 'no cluster of the route takes traffic');
  const cluster = runtime.cluster(name);
  if (cluster === undefined) return refuse(503, 'NC', `cluster "${name}": not known`);
  if (cluster.isFull) return refuse(503, 'UO', `cluster "${name}": too many requests at once`);
  if (cluster.config.sendProxyProtocol !== undefined)
    return refuse(501, '', `cluster "${name}": wants the PROXY protocol, which CONNECT does not bring`);
  return { kind: 'tunnel', cluster, retry };
}

/** Lines that an answer of the proxy's own has, each with its CRLF. */
export function answerLines(plan: AnswerPlan): string {
  const location = plan.location === '' ? '' : `location: ${plan.location}\r\n`;
  return location + (plan.edits?.adds ?? '');
}

function refuse(status: number, reason: Reason, body: string): AnswerPlan {
  return { kind: 'answer', status, reason, body, location: '', edits: undefined, trace: undefined };
}
