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
export type XdsRelay = (call: Call, identity: WorkloadIdentity | undefined) => void;

const asItIs = (bytes: Buffer): Buffer => bytes;
const ADS = '/envoy.service.discovery.v3.AggregatedDiscoveryService';
const METHOD = {
  path: `${ADS}/StreamAggregatedResources`,
  requestStream: true,
  responseStream: true,
  requestSerialize: asItIs,
  requestDeserialize: asItIs,
  responseSerialize: asItIs,
  responseDeserialize: asItIs,
} as const;

/** ADS, state-of-the-world (gRPC's clients know no other), with messages that are not read. */
export const RELAYED_ADS = { streamAggregatedResources: METHOD } satisfies ServiceDefinition;

/**
 * ADS for gRPC's clients of the pods here. Each stream has a connection of its own, with the pod's SVID of that moment, so the control plane
 * knows it as it knows the pod's sidecar. When it breaks, the client hears why and comes again, to the next control plane.
 */
export function xdsRelay({ xdsAddress, controlSpiffeId, log }: XdsRelayOptions): XdsRelay {
  const addresses = xdsAddress.split(',').map((address) => address.trim());
  let turn = 0;
  return (call, identity) => {
    if (identity === undefined) {
      fail(call, status.PERMISSION_DENIED, 'no xDS: the calling process belongs to no pod of this node');
      return;
    }
    const gone = new AbortController();
    call.on('cancelled', () => gone.abort());
    call.on('close', () => gone.abort());
    const join = (current: MeshIdentity): void => {
      const address = addresses[turn % addresses.length] ?? '';
      relay(call, address, current, gone.signal, (error) => {
        turn += 1;
        log.debug({ error, address, spiffeId: identity.spiffeId }, 'xDS for a gRPC client has ended');
      });
    };
    // Of a pod without a sidecar nobody may have asked for it before.
    identity.obtained(gone.signal).then(join, () => fail(call, status.UNAVAILABLE, 'the pod has no identity yet'));
  };

  function relay(
    call: Call,
    address: string,
    identity: MeshIdentity,
    gone: AbortSignal,
    onBroken: (error: ServiceError) => void,
  ): void {
    if (gone.aborted) return;
    const channel = openControlChannel(address, identity, controlSpiffeId);
    const upstream = channel.open(METHOD);
    gone.addEventListener('abort', () => {
      upstream.cancel();
      channel.close();
    });
    upstream.on('error', (error: ServiceError) => {
      if (gone.aborted) return;
      onBroken(error);
      fail(call, error.code, error.details);
    });
    call.on('error', () => undefined);
    // Streams of Node's, whose types say so in other words: what one side does not take, the other is not asked for.
    const [client, control] = [call, upstream] as unknown as readonly [Duplex, Duplex];
    client.pipe(control);
    control.pipe(client);
  }
}

function fail(call: Call, code: status, details: string): void {
  call.emit('error', { code, details });
}
