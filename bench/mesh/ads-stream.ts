import { connect } from 'node:http2';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';
import { DiscoveryRequest, type DiscoveryRequestInput } from '../../xds/messages.js';
import { fieldsOf, textField } from './protobuf-scan.ts';

/** A response of which only the envelope is read: resources are as they came. */
export interface RawResponse {
  readonly typeUrl: string;
  readonly version: string;
  readonly nonce: string;
  /** Of each google.protobuf.Any the value. */
  readonly resources: readonly Buffer[];
}

export interface AdsStream {
  send(request: Uint8Array): void;
}

const PATH = '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources';
// gRPC's length-prefixed message: a flag and four bytes of length.
const PREFIX_BYTES = 5;

/** Shared by all clients of the process, so that a key is read once. */
export function clientContext({ trustBundlePem, privateKeyPem, certificateChainPem }: MeshIdentity): SecureContext {
  return createSecureContext({ ca: trustBundlePem, key: privateKeyPem, cert: certificateChainPem });
}

/**
 * A proxy's ADS stream on a connection of its own, straight on node:http2: whoever simulates hundreds of proxies in one process must not
 * take longer to read what they are sent than the control plane takes to send it.
 */
export function openAdsStream(
  port: number,
  secureContext: SecureContext,
  onResponse: (response: RawResponse, stream: AdsStream) => void,
): AdsStream {
  const session = connect(`https://127.0.0.1:${port}`, {
    secureContext,
    servername: 'control.tutti.internal',
    checkServerIdentity: () => undefined,
  });
  const call = session.request(
    { ':method': 'POST', ':path': PATH, 'content-type': 'application/grpc', te: 'trailers' },
    { endStream: false },
  );
  const stream: AdsStream = {
    send: (request) => {
      const framed = Buffer.allocUnsafe(PREFIX_BYTES + request.length);
      framed.writeUInt8(0, 0);
      framed.writeUInt32BE(request.length, 1);
      framed.set(request, PREFIX_BYTES);
      call.write(framed);
    },
  };
  let rest: Buffer = Buffer.alloc(0);
  call.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= PREFIX_BYTES) {
      const end = PREFIX_BYTES + rest.readUInt32BE(1);
      if (rest.length < end) break;
      onResponse(responseOf(rest.subarray(PREFIX_BYTES, end)), stream);
      rest = rest.subarray(end);
    }
  });
  const failed = (error?: Error): void => {
    throw error ?? new Error('the xDS server ended a stream');
  };
  session.on('error', failed);
  call.on('error', failed);
  call.on('end', failed);
  return stream;
}

/** What of a request stays the same while its names do; version and nonce come after it. */
export function requestPart(request: DiscoveryRequestInput): Uint8Array {
  return DiscoveryRequest.encode(request).finish();
}

/** An ACK: fields of a message may come in any order, and parts of it one after the other. */
export function ackOf(part: Uint8Array, { version, nonce }: Pick<RawResponse, 'version' | 'nonce'>): Uint8Array {
  return Buffer.concat([part, DiscoveryRequest.encode({ versionInfo: version, responseNonce: nonce }).finish()]);
}

/** envoy.service.discovery.v3.DiscoveryResponse: version_info = 1, resources = 2, type_url = 4, nonce = 5. */
function responseOf(message: Buffer): RawResponse {
  const resources: Buffer[] = [];
  let [version, typeUrl, nonce] = ['', '', ''];
  for (const { number, bytes } of fieldsOf(message)) {
    if (number === 1) version = bytes.toString('latin1');
    if (number === 2) resources.push(anyValue(bytes));
    if (number === 4) typeUrl = bytes.toString('latin1');
    if (number === 5) nonce = bytes.toString('latin1');
  }
  return { version, typeUrl, nonce, resources };
}

/** google.protobuf.Any: type_url = 1, value = 2. */
function anyValue(any: Buffer): Buffer {
  for (const { number, bytes } of fieldsOf(any)) if (number === 2) return bytes;
  return Buffer.alloc(0);
}

/** `name` of a Cluster and a Listener is field 1. */
export function nameOf(resource: Buffer): string {
  return textField(resource, 1);
}
