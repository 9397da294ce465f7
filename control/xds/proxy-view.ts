import type { ResourceKind, ResourceMap, Snapshot } from './resource.ts';

/** One proxy as the deciders see it: what it is to have, what it was told, what it said. */
export interface ProxyView {
  readonly nodeId: string;
  readonly connectedSinceMs: number;
  /** Undefined while it is connected. */
  readonly disconnectedAtMs: number | undefined;
  readonly target: Snapshot | undefined;
  readonly kinds: Readonly<Record<ResourceKind, KindView>>;
}

export interface KindView {
  readonly subscribed: boolean;
  readonly sentVersion: string | undefined;
  readonly ackedVersion: string | undefined;
  readonly nonce: string;
  /** The proxy's words when it refused the newest response. */
  readonly error: string | undefined;
  readonly acked: ResourceMap;
  /** On its way, or refused: the proxy may act on it. */
  readonly uncertain: ResourceMap;
  /** Asked for, by name or all of the type. */
  wants(name: string): boolean;
  /** Asked for and not said yes to. */
  unanswered(): readonly string[];
}

/**
 * How long a proxy that went away still counts: it may be back at once, with what it had. A restarted control plane waits
 * as long for proxies it has not seen yet. linkerd and Istio reconnect within a second; our proxy within two.
 */
export const RECONNECT_GRACE_MS = 5000;

/** Whether the proxy is there, or was a moment ago. */
export function counts(proxy: ProxyView, nowMs: number): boolean {
  return proxy.disconnectedAtMs === undefined || nowMs - proxy.disconnectedAtMs < RECONNECT_GRACE_MS;
}
