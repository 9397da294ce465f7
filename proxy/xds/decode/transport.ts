import {
  type CommonTlsContext,
  type DataSource,
  DownstreamTlsContext,
  ProxyProtocolConfigVersion,
  ProxyProtocolUpstreamTransport,
  RawBuffer,
  SubjectAltNameMatcherSanType,
  type TransportSocket,
  UpstreamTlsContext,
} from '../../../xds/messages.js';
import type { UpstreamTls } from '../../cluster/cluster-config.ts';
import type { DownstreamTls } from '../../listener/listener-config.ts';
import { isAny, ResourceError, unpackAny } from './unpack.ts';

/**
 * The secrets that this proxy has of itself and does not get over xDS: its SVID with key, and the trust bundle
 * (docs/architecture.md). A TLS context that names them is the mesh's own mTLS.
 */
const MESH_IDENTITY = 'mesh-identity';
const MESH_TRUST = 'mesh-trust';

export function downstreamTls(socket: TransportSocket | null): DownstreamTls | undefined {
  if (socket === null) return undefined;
  const { commonTlsContext, requireClientCertificate } = unpackAny(
    socket.typedConfig,
    DownstreamTlsContext,
    'transport socket',
  );
  if (showsOwnIdentity(commonTlsContext)) {
    if (requireClientCertificate?.value !== true || trustOf(commonTlsContext) !== MESH_TRUST) {
      throw new ResourceError(`transport socket: a mesh listener requires clients that "${MESH_TRUST}" verifies`);
    }
    return { kind: 'mesh' };
  }
  const [certificate] = commonTlsContext?.tlsCertificates ?? [];
  const certificatePem = inlineText(certificate?.certificateChain ?? null);
  const privateKeyPem = inlineText(certificate?.privateKey ?? null);
  if (certificatePem === '' || privateKeyPem === '') {
    throw new ResourceError(`transport socket: wanted "${MESH_IDENTITY}" or an inline certificate with key`);
  }
  return { kind: 'certificate', certificatePem, privateKeyPem };
}

/** A transport, with the PROXY protocol around it where endpoints are to be told who the client is. */
export function upstreamTransport(socket: TransportSocket | null): {
  readonly tls: UpstreamTls | undefined;
  readonly sendProxyProtocol?: 1 | 2;
} {
  if (!isAny(socket?.typedConfig ?? null, ProxyProtocolUpstreamTransport)) return { tls: upstreamTls(socket) };
  const what = 'transport socket';
  const { config, transportSocket } = unpackAny(socket?.typedConfig ?? null, ProxyProtocolUpstreamTransport, what);
  const sendProxyProtocol = config?.version === ProxyProtocolConfigVersion.V2 ? 2 : 1;
  return { tls: upstreamTls(transportSocket), sendProxyProtocol };
}

function upstreamTls(socket: TransportSocket | null): UpstreamTls | undefined {
  if (socket === null || isAny(socket.typedConfig, RawBuffer)) return undefined;
  const { commonTlsContext, sni } = unpackAny(socket.typedConfig, UpstreamTlsContext, 'transport socket');
  if (!showsOwnIdentity(commonTlsContext) || trustOf(commonTlsContext) !== MESH_TRUST) {
    throw new ResourceError(`transport socket: wanted "${MESH_IDENTITY}" and "${MESH_TRUST}"`);
  }
  const matchers =
    commonTlsContext?.combinedValidationContext?.defaultValidationContext?.matchTypedSubjectAltNames ?? [];
  const spiffeIds = matchers.map(({ sanType, matcher }) => {
    const id = matcher?.exact ?? '';
    if (sanType !== SubjectAltNameMatcherSanType.URI || id === '') {
      throw new ResourceError('transport socket: wanted exact URIs as subject alternative names');
    }
    return id;
  });
  // No name would mean any workload of the mesh.
  if (spiffeIds.length === 0) throw new ResourceError('transport socket: names no SPIFFE id of the peer');
  if (sni === '') throw new ResourceError('transport socket: names no server name');
  return { serverName: sni, spiffeIds };
}

function showsOwnIdentity(context: CommonTlsContext | null): boolean {
  return context?.tlsCertificateSdsSecretConfigs.some(({ name }) => name === MESH_IDENTITY) === true;
}

function trustOf(context: CommonTlsContext | null): string | undefined {
  const config =
    context?.validationContextSdsSecretConfig ?? context?.combinedValidationContext?.validationContextSdsSecretConfig;
  return config?.name;
}

function inlineText(source: DataSource | null): string {
  if (source?.inlineString != null) return source.inlineString;
  return source?.inlineBytes == null ? '' : new TextDecoder().decode(source.inlineBytes);
}
