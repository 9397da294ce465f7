import {
  PreviousHostsPredicate,
  type RetryPolicyInput,
  type RouteActionInput,
  type RouteInput,
  type VirtualHostInput,
} from '../../../xds/messages.js';
import { durationOf, packAny } from './any.ts';
import { PASSTHROUGH_CLUSTER } from './names.ts';

// Envoy: RouteAction.timeout.
const DEFAULT_TIMEOUT_MS = 15_000;

/**
 * Two tries more, on another endpoint when there is one (Istio's defaults: 2 retries, previous_hosts, 5 picks). Our proxy
 * acts on `reset` and `gateway-error` for idempotent methods only (RFC 9110 section 9.2.2); an Envoy does for all.
 */
export const DEFAULT_RETRY: RetryPolicyInput = {
  retryOn: 'connect-failure,reset-before-request,reset,gateway-error',
  numRetries: { value: 2 },
  retryHostPredicate: [
    { name: 'envoy.retry_host_predicates.previous_hosts', typedConfig: packAny(PreviousHostsPredicate, {}) },
  ],
  hostSelectionRetryMaxAttempts: 5,
  // Envoy: RetryPolicy.retry_back_off.
  retryBackOff: { baseInterval: durationOf(25), maxInterval: durationOf(250) },
};

/** Into the app: its caller holds the clock and may try elsewhere, so only a connection that had just been closed is tried again. */
const INBOUND_RETRY: RetryPolicyInput = {
  retryOn: 'reset-before-request',
  numRetries: { value: 2 },
  retryBackOff: { baseInterval: durationOf(1), maxInterval: durationOf(10) },
};

/** Where no route says how long. A stream of gRPC may go on for as long as it likes: its client keeps its own deadline. */
export function defaultTimeoutMs({ http2 }: { readonly http2: boolean }): number {
  return http2 ? 0 : DEFAULT_TIMEOUT_MS;
}

export function forwardTo(port: { readonly cluster: string; readonly http2: boolean }): RouteActionInput {
  return { cluster: port.cluster, timeout: durationOf(defaultTimeoutMs(port)), retryPolicy: DEFAULT_RETRY };
}

/** CONNECT ends at the proxy, and what comes behind it are bytes, for as long as both sides like. */
export function connectEnd(retryPolicy: RetryPolicyInput): RouteActionInput {
  return {
    timeout: durationOf(0),
    retryPolicy,
    upgradeConfigs: [{ upgradeType: 'CONNECT', connectConfig: {} }],
  };
}

/** All requests to the app; how long one may take is the caller's decision. */
export function inboundHost(cluster: string): VirtualHostInput {
  const route: RouteActionInput = { cluster, timeout: durationOf(0), retryPolicy: INBOUND_RETRY };
  return { name: 'app', domains: ['*'], routes: [{ name: 'app', match: { prefix: '/' }, route }] };
}

/** Hosts that no Service answers to leave the mesh as they are: requests, and tunnels for TLS. */
export function passthroughHost(): VirtualHostInput {
  const timeout = durationOf(0);
  const tunnel: RouteInput = {
    name: 'tunnel',
    match: { connectMatcher: {} },
    route: {
      cluster: PASSTHROUGH_CLUSTER,
      timeout,
      upgradeConfigs: [{ upgradeType: 'CONNECT', connectConfig: {} }],
    },
  };
  const request: RouteInput = {
    name: 'request',
    match: { prefix: '/' },
    route: { cluster: PASSTHROUGH_CLUSTER, timeout },
  };
  return { name: 'passthrough', domains: ['*'], routes: [tunnel, request] };
}
