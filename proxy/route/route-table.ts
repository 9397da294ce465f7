/** How requests find a cluster: xDS' RouteConfiguration, reduced to what the engine acts on. Never mutated. */
export interface RouteTable {
  readonly name: string;
  readonly virtualHosts: readonly VirtualHost[];
}

export interface VirtualHost {
  readonly name: string;
  /** Exact (`shop.example`, `web:8080`), suffix (`*.example`), prefix (`web.*`) or `*`; the most exact one wins (Envoy's order). */
  readonly domains: readonly string[];
  /** The first that matches wins; the control plane has put them in the Gateway API's order of precedence. */
  readonly routes: readonly Route[];
}

export interface Route {
  readonly name: string;
  readonly match: RouteMatch;
  readonly action: RouteAction;
  readonly requestHeaders: HeaderEdits;
  readonly responseHeaders: HeaderEdits;
  readonly cors?: CorsPolicy | undefined;
}

/** Which pages of other origins may ask, and read what is answered (Envoy's CorsPolicy). Lists are as they are sent; '' is not sent. */
export interface CorsPolicy {
  /** Any of them; of name `origin`. */
  readonly origins: readonly ValueMatch[];
  /** `*` is whatever the browser asks for, as with `headers`. */
  readonly methods: string;
  readonly headers: string;
  readonly exposeHeaders: string;
  readonly maxAge: string;
  readonly credentials: boolean;
  /** The app answers preflights of origins that are not among these. */
  readonly forwardStrangers: boolean;
}

export interface HeaderEdits {
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly add: readonly (readonly [name: string, value: string])[];
  readonly remove: readonly string[];
}

export interface RouteMatch {
  readonly path: PathMatch;
  readonly method: string | undefined;
  readonly headers: readonly ValueMatch[];
  readonly query: readonly ValueMatch[];
}

export type PathMatch =
  | { readonly kind: 'any' }
  | { readonly kind: 'exact'; readonly value: string }
  /** Whole path elements: `/a` matches `/a` and `/a/b`, not `/ab` (Gateway API PathPrefix, Envoy path_separated_prefix). */
  | { readonly kind: 'prefix'; readonly value: string }
  /** RE2 syntax, matched against the whole path. */
  | { readonly kind: 'regex'; readonly value: string };

/** `name` is lower case for headers. */
export type ValueMatch =
  | { readonly kind: 'exact'; readonly name: string; readonly value: string }
  | { readonly kind: 'regex'; readonly name: string; readonly value: string };

export type RouteAction =
  | {
      readonly kind: 'forward';
      readonly clusters: readonly WeightedCluster[];
      /** From the request's last byte to the response's last; 0 is none. */
      readonly timeoutMs: number;
      readonly perTryTimeoutMs: number;
      readonly retry: RetryPolicy | undefined;
      readonly rewrite: PathRewrite | undefined;
      readonly hostRewrite: string | undefined;
    }
  | {
      readonly kind: 'redirect';
      readonly scheme: string | undefined;
      readonly host: string | undefined;
      readonly port: number | undefined;
      readonly rewrite: PathRewrite | undefined;
      readonly status: number;
    }
  | { readonly kind: 'direct'; readonly status: number; readonly body: string }
  /** CONNECT ends here: what comes behind it goes to a cluster as bytes (Envoy's connect_config). No other request takes such a route. */
  | {
      readonly kind: 'connect';
      readonly clusters: readonly WeightedCluster[];
      readonly retry: RetryPolicy | undefined;
    };

export type PathRewrite =
  | { readonly kind: 'full'; readonly value: string }
  | { readonly kind: 'prefix'; readonly value: string };

export interface WeightedCluster {
  readonly cluster: string;
  /** Share of the sum over the action's clusters. 0 takes nothing. */
  readonly weight: number;
  readonly requestHeaders: HeaderEdits;
}

export interface RetryPolicy {
  /** Beside the first try. */
  readonly retries: number;
  readonly on: readonly RetryCondition[];
  readonly statuses: readonly number[];
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
}

/**
 * Envoy's words. `connect-failure` and `reset-before-request` are safe for every method: nothing reached the app.
 * `reset` and `gateway-error` and statuses are acted on for idempotent methods only (RFC 9110 section 9.2.2).
 */
export type RetryCondition = 'connect-failure' | 'reset-before-request' | 'reset' | 'gateway-error';
