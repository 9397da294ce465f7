import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { LoadStatsRequest, LoadStatsResponseInput } from '../../xds/messages.js';
import type { Hub } from './hub.ts';

export type LoadCall = Pick<ServerDuplexStream<LoadStatsRequest, LoadStatsResponseInput>, 'write' | 'end' | 'on'>;

const INTERVAL_SECONDS = 1;

/** LRS: each proxy says every second what it sent to its clusters since the last time; the sums are kept by proxy. */
export function serveLoadReports(call: LoadCall, spiffeId: string, hub: Hub): void {
  let nodeId = '';
  call.on('data', (request: LoadStatsRequest) => {
    if (nodeId === '') {
      nodeId = request.node?.id ?? '';
      call.write({ sendAllClusters: true, loadReportingInterval: { seconds: INTERVAL_SECONDS } });
    }
    // A proxy whose ADS stream has not been admitted has no record yet: its report is dropped, not its stream.
    if (!hub.speaksFor(nodeId, spiffeId)) return;
    const record = hub.record(nodeId);
    for (const { clusterName, upstreamLocalityStats } of request.clusterStats) {
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
