import net from 'node:net';
import tls from 'node:tls';
import { MESH_BYTES_PROTOCOL, MESH_HTTP1_PROTOCOL } from '../../api/meta/well-known.ts';
import type { ClusterConfig, Endpoint } from '../cluster/cluster-config.ts';
import type { Runtime } from '../runtime.ts';
import { type ByteReceiver, readSharedDirectly, sharedRead } from '../socket/shared-read.ts';

export interface Dialling {
  readonly receiver: ByteReceiver;
  /** What is asked for in the TLS handshake (RFC 7301). A plain connection is taken to speak it. */
  readonly protocol: 'http/1.1' | 'h2' | typeof MESH_BYTES_PROTOCOL | typeof MESH_HTTP1_PROTOCOL;
  /** The peer is who it should be, and nothing has been sent yet. */
  connected(): void;
  /** The peer is not, or is this very proxy. What the socket itself tells comes as its events. */
  failed(message: string): void;
  /** The peer is who it should be, and wants to be spoken to in HTTP/1.1. Told only who asked for {@link MESH_HTTP1_PROTOCOL}. */
  wantsHttp1?(): void;
}

const MESH_OFFER = [MESH_HTTP1_PROTOCOL, 'http/1.1'];

/** Begins a connection to an endpoint, with the mesh's TLS where the cluster asks for it. */
export function dial(runtime: Runtime, cluster: ClusterConfig, endpoint: Endpoint, dialling: Dialling): net.Socket {
  const { address: host, port } = endpoint;
  const { protocol } = dialling;
  const connected = (socket: net.Socket): void => {
    const { remoteAddress, remotePort } = socket;
    if (cluster.kind === 'authority' && runtime.isOwnAddress(remoteAddress ?? '', remotePort ?? 0)) {
      dialling.failed('the authority is this proxy itself');
    } else {
      readSharedDirectly(socket, dialling.receiver);
      dialling.connected();
    }
  };
  const onread = sharedRead(dialling.receiver);
  if (cluster.tls === undefined) {
    const socket = net.connect({ host, port, allowHalfOpen: true, onread });
    socket.on('connect', () => connected(socket));
    return socket;
  }
  const secureContext = runtime.meshTls.context;
  const { serverName, spiffeIds } = cluster.tls;
  const socket = tls.connect({
    host,
    port,
    servername: serverName,
    // Without an identity there is nothing to show; the check of the peer then refuses.
    ...(secureContext === undefined ? {} : { secureContext }),
    minVersion: 'TLSv1.3',
    ALPNProtocols: protocol === MESH_HTTP1_PROTOCOL ? MESH_OFFER : [protocol],
    // What HTTP's sides take for an end, bytes do not: the other direction goes on.
    allowHalfOpen: protocol === MESH_BYTES_PROTOCOL,
    // The peer's name is a SPIFFE id, which no default check knows: ours runs on every connection, before a byte is sent.
    rejectUnauthorized: false,
    onread,
  } as tls.ConnectionOptions);
  socket.on('secureConnect', () => {
    if (socket.destroyed) return;
    const fault = peerFault(runtime, socket, spiffeIds);
    if (fault !== undefined) dialling.failed(fault);
    else if (protocol === MESH_HTTP1_PROTOCOL && socket.alpnProtocol !== protocol) dialling.wantsHttp1?.();
    else if (protocol === 'h2' && socket.alpnProtocol !== protocol) dialling.failed('the peer does not speak HTTP/2');
    else connected(socket);
  });
  return socket;
}

function peerFault(runtime: Runtime, socket: tls.TLSSocket, spiffeIds: readonly string[]): string | undefined {
  const verdict = runtime.meshTls.verify(socket);
  if (!verdict.ok) {
    runtime.telemetry.tlsRefused('client', verdict.refusal, verdict.message);
    return verdict.message;
  }
  if (spiffeIds.includes(verdict.spiffeId)) return undefined;
  const detail = `peer identity "${verdict.spiffeId}": wanted ${spiffeIds.join(' or ')}`;
  runtime.telemetry.tlsRefused('client', 'not-allowed', detail);
  return detail;
}
