import type { Duplex } from 'node:stream';
import { type ServerDuplexStream, type ServiceDefinition, type ServiceError, status } from '@grpc/grpc-js';
import { openControlChannel } from '../../certs/workload/control-channel.ts';
import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';
import type { Logger } from '../../kit/log.ts';
import type { WorkloadIdentity } from '../identity/workload-identity.ts';

export interface XdsRelayOptions {
  /** `127.0.0.1:6444`, or several with commas between. */
  readonly xdsAddress: string;
  readonly controlSpiffeId: string;
  readonly log: Logger;
}

type Call = ServerDuplexStream<Buffer, Buffer>;

/** Leads a stream of a process of the identity's pod on to the control plane. */
export type XdsRelay = (method: RelayedMethod, call: Call, identity: WorkloadIdentity | undefined) => void;

/** Streams of one pod at once: each is a connection to the control plane, and a process needs two. */
const MAX_STREAMS = 64;

const asItIs = (bytes: Buffer): Buffer => bytes;
const unread = {
  requestStream: true,
  responseStream: true,
  requestSerialize: asItIs,
  requestDeserialize: asItIs,
  responseSerialize: asItIs,
  responseDeserialize: asItIs,
} as const;

/** ADS, state-of-the-world (gRPC's clients know no other), and reports of load, with messages that are not read. */
export const RELAYED = {
  streamAggregatedResources: {
    path: '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources',
    ...unread,
  },
  streamLoadStats: { path: '/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats', ...unread },
} satisfies ServiceDefinition;

type RelayedMethod = keyof typeof RELAYED;

/**
 * xDS for gRPC's clients of the pods here. Each stream has a connection of its own, with the pod's SVID of that moment, so the control plane
 * knows it as it knows the pod's sidecar. When it breaks, the client hears why and comes again, to the next control plane.
 */
export function xdsRelay({ xdsAddress, controlSpiffeId, log }: XdsRelayOptions): XdsRelay {
  const addresses = xdsAddress.split(',').map((address) => address.trim());
  const streams = new Map<WorkloadIdentity, number>();
  let turn = 0;
  return (method, call, identity) => {
    if (identity === undefined) {
      fail(call, status.PERMISSION_DENIED, 'no xDS: the calling process belongs to no pod of this node');
      return;
    }
    const open = streams.get(identity) ?? 0;
    if (open >= MAX_STREAMS) {
      fail(call, status.RESOURCE_EXHAUSTED, `the pod has ${open} xDS streams, and may have no more`);
      return;
    }
    streams.set(identity, open + 1);
    const over = new AbortController();
    over.signal.addEventListener('abort', () => {
      const left = (streams.get(identity) ?? 1) - 1;
      if (left === 0) streams.delete(identity);
      else streams.set(identity, left);
    });
    call.on('cancelled', () => over.abort());
    call.on('close', () => over.abort());
    const end = (code: status, details: string): void => {
      if (over.signal.aborted) return;
      over.abort();
      fail(call, code, details);
    };
    const join = (current: MeshIdentity): void => {
      if (over.signal.aborted) return;
      const address = addresses[turn % addresses.length] ?? '';
      const channel = openControlChannel(address, current, controlSpiffeId);
      const upstream = channel.open(RELAYED[method]);
      over.signal.addEventListener('abort', () => {
        upstream.cancel();
        channel.close();
      });
      upstream.on('error', (error: ServiceError) => {
        if (over.signal.aborted) return;
        turn += 1;
        log.debug({ error, address, spiffeId: identity.spiffeId }, 'xDS for a gRPC client has ended');
        end(error.code, error.details);
      });
      // Streams of Node's, whose types say so in other words: what one side does not take, the other is not asked for.
      const [client, control] = [call, upstream] as unknown as readonly [Duplex, Duplex];
      client.pipe(control);
      control.pipe(client);
    };
    // Of a pod without a sidecar nobody may have asked for it before.
    identity.obtained(over.signal).then(join, () => end(status.UNAVAILABLE, 'the pod has no identity yet'));
  };
}

function fail(call: Call, code: status, details: string): void {
  call.emit('error', { code, details });
}
