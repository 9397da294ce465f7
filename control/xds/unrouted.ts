import type { Pod } from '../../api/kinds/pod.ts';
import { isConditionTrue } from '../../api/meta/condition.ts';
import { UNROUTED } from '../../api/meta/well-known.ts';
import { counts, type ProxyView, RECONNECT_GRACE_MS } from './proxy-view.ts';
import { carriedPod } from './translate/names.ts';

/**
 * Pods that are going away and that no proxy sends requests to any more: each proxy that may have known one has ACKed
 * endpoints without it. A proxy that has not yet said what it holds may know any pod; one that has been gone for a
 * while is not waited for. `startedMs`: before it, proxies may have been told by another run of the control plane.
 */
export function unroutedPods(
  pods: readonly Pod[],
  proxies: readonly ProxyView[],
  nowMs: number,
  startedMs: number,
): readonly Pod[] {
  const leaving = pods.filter(
    ({ metadata, status }) => metadata.deletionTimestamp != null && !isConditionTrue(status?.conditions, UNROUTED),
  );
  if (leaving.length === 0 || nowMs - startedMs < RECONNECT_GRACE_MS) return [];
  const counted = proxies.filter((proxy) => counts(proxy, nowMs));
  return leaving.filter((pod) => {
    const carried = carriedPod(pod);
    return !counted.some((proxy) => mayRouteTo(proxy, carried));
  });
}

function mayRouteTo(proxy: ProxyView, carried: string): boolean {
  const { endpoints } = proxy.kinds;
  const { subscribed, acked, uncertain } = endpoints;
  const holds = [...acked.values(), ...uncertain.values()].some(({ carries }) => carries.includes(carried));
  if (holds) return true;
  // Just connected: it may run on what it was told before.
  const target = proxy.target?.endpoints;
  // gRPC's client asks for what its channels need, and at once for all that it has; one without channels needs nothing.
  if (!subscribed && proxy.nodeId.startsWith('grpc/')) return false;
  return (
    target === undefined ||
    (target.size > 0 && (!subscribed || endpoints.unanswered().some((name) => target.has(name))))
  );
}
