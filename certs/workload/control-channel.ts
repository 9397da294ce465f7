import { Client, type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import { controlIdentityCheck } from './control-identity.ts';
import type { MeshIdentity } from './mesh-identity.ts';

export interface ControlChannel {
  open<Request, Response>(method: StreamCall<Request, Response>): ClientDuplexStream<Request, Response>;
  close(): void;
}

/** A bidirectional method, as far as its caller goes. */
export interface StreamCall<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (message: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

// The largest state that a mesh of ours sends at once; grpc-js' own limit is 4 MiB.
const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;
const KEEPALIVE_MS = 10_000;
const KEEPALIVE_TIMEOUT_MS = 5000;

/**
 * A connection to the control plane over mTLS: our SVID of this moment is shown, and the server must be the control plane of
 * our trust domain. A channel lives as long as its stream, so that each connection has the identity of its time.
 */
export function openControlChannel(address: string, identity: MeshIdentity, controlSpiffeId: string): ControlChannel {
  const secure = credentials.createSsl(
    Buffer.from(identity.trustBundlePem),
    Buffer.from(identity.privateKeyPem),
    Buffer.from(identity.certificateChainPem),
    { checkServerIdentity: controlIdentityCheck(address, controlSpiffeId) },
  );
  const client = new Client(address, secure, {
    'grpc.enable_channelz': 0,
    'grpc.enable_http_proxy': 0,
    'grpc.enable_retries': 0,
    'grpc.service_config_disable_resolution': 1,
    // TLS has no server names for addresses (RFC 6066, section 3); who the server is, its SVID says.
    'grpc.ssl_target_name_override': 'control.tutti.internal',
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_receive_message_length': MAX_RESPONSE_BYTES,
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
  });
  return {
    open: ({ path, requestSerialize, responseDeserialize }) =>
      client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize),
    close: () => client.close(),
  };
}
