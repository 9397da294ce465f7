import type { Proxy } from '../../api/kinds/proxy.ts';

/** How far one change has come. */
export interface ChangeProgress {
  /** What changed: `HTTPRoute/shop/catalog`. */
  readonly object: string;
  readonly changedAt: string;
  /** Proxies that are to carry it, and those that do. */
  readonly proxies: number;
  readonly acked: number;
  /** Who took longest, or is still waited for. */
  readonly slowest: string;
  /** Until the last proxy had it; absent while one has not. */
  readonly tookMs?: number;
  /** `<node id>: <its words>`, of those that refuse it. */
  readonly refused: readonly string[];
}

/** Newest first. Of proxies that are away nothing is expected; what they had taken counts. */
export function changeProgress(proxies: readonly Proxy[]): readonly ChangeProgress[] {
  const all = proxies.flatMap((proxy) =>
    proxy.status.changes
      .filter(({ tookMs }) => proxy.status.connected || tookMs !== undefined)
      .map((change) => ({ nodeId: proxy.spec.nodeId, change })),
  );
  const byId = Map.groupBy(all, ({ change }) => change.id);
  const passOf = (id: string): number => Number(id.slice(0, id.indexOf(' ')));
  return [...byId]
    .sort(([left, [one]], [right, [other]]) => {
      const [earlier, later] = [one?.change.changedAt ?? '', other?.change.changedAt ?? ''];
      return earlier === later ? passOf(right) - passOf(left) : later.localeCompare(earlier);
    })
    .flatMap(([, heard]) => {
      const [first] = heard;
      if (first === undefined) return [];
      const took = (one: (typeof heard)[number]): number => one.change.tookMs ?? Infinity;
      const slowest = heard.reduce((last, one) => (took(one) > took(last) ? one : last));
      const acked = heard.filter(({ change }) => change.tookMs !== undefined).length;
      return {
        object: first.change.object,
        changedAt: first.change.changedAt,
        proxies: heard.length,
        acked,
        slowest: slowest.nodeId,
        ...(acked === heard.length ? { tookMs: took(slowest) } : {}),
        refused: heard.flatMap(({ nodeId, change }) =>
          change.refused === undefined ? [] : [`${nodeId}: ${change.refused}`],
        ),
      };
    });
}
