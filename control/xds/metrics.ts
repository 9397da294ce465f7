import { Counter, Registry } from 'prom-client';
import type { PeerProblem } from '../../certs/workload/peer-problem.ts';

/** What the xDS server counts; the API server publishes it at `GET /metrics`. */
export interface XdsMetrics {
  refused(reason: PeerProblem | 'handshake'): void;
  /** In the Prometheus text format. */
  text(): Promise<string>;
}

/** docs/reference/control-plane-metrics.md lists it. */
export const XDS_REFUSED = 'tutti_xds_refused_total';

export function xdsMetrics(): XdsMetrics {
  const registry = new Registry();
  const refused = new Counter({
    name: XDS_REFUSED,
    help: 'TLS connections to the xDS server that were refused, by reason',
    labelNames: ['reason'],
    registers: [registry],
  });
  return { refused: (reason) => refused.inc({ reason }), text: () => registry.metrics() };
}
