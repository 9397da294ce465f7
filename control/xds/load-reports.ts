import type { ServerDuplexStream } from '@grpc/grpc-js';
import { EJECTED, EJECTED_UNTIL } from '../../api/meta/well-known.ts';
import type { LoadStatsRequest, LoadStatsResponseInput, UpstreamLocalityStats } from '../../xds/messages.js';
import type { Hub } from './hub.ts';

export type LoadCall = Pick<ServerDuplexStream<LoadStatsRequest, LoadStatsResponseInput>, 'write' | 'end' | 'on'>;

const INTERVAL_SECONDS = 1;

/** LRS: each proxy says every second what it sent to its clusters since the last time; the sums are kept by proxy. */
export function serveLoadReports(call: LoadCall, spiffeId: string, hub: Hub): void {
  let nodeId = '';
  call.on('data', (request: LoadStatsRequest) => {
    const isFirst = nodeId === '';
    if (isFirst) {
      nodeId = request.node?.id ?? '';
      call.write({ sendAllClusters: true, loadReportingInterval: { seconds: INTERVAL_SECONDS } });
    }
    // A proxy whose ADS stream has not been admitted has no record yet: its report is dropped, not its stream.
    if (!hub.speaksFor(nodeId, spiffeId)) return;
    const record = hub.record(nodeId);
    // The first message says who speaks, not that nothing was sent.
    if (!isFirst) record?.loadReported();
    for (const { clusterName, upstreamLocalityStats } of request.clusterStats) {
      record?.setEjected(clusterName, upstreamLocalityStats.flatMap(ejectedIn));
      for (const stats of upstreamLocalityStats) {
        record?.addLoad(clusterName, {
          total: stats.totalIssuedRequests,
          success: stats.totalSuccessfulRequests,
          error: stats.totalErrorRequests,
        });
      }
    }
  });
  call.on('error', () => {});
  call.on('end', () => call.end());
}

/** Endpoints that the proxy says it has ejected; Envoy's reports say nothing of it. */
function ejectedIn({ upstreamEndpointStats }: UpstreamLocalityStats) {
  return upstreamEndpointStats.flatMap(({ address, metadata }) => {
    const { address: host = '', portValue = 0 } = address?.socketAddress ?? {};
    const cause = metadata?.fields[EJECTED]?.stringValue;
    if (typeof cause !== 'string') return [];
    const untilMs = metadata?.fields[EJECTED_UNTIL]?.numberValue ?? 0;
    return [{ address: host.includes(':') ? `[${host}]:${portValue}` : `${host}:${portValue}`, cause, untilMs }];
  });
}
