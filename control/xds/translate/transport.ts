import {
  type CommonTlsContextInput,
  DownstreamTlsContext,
  ProxyProtocolConfigVersion,
  ProxyProtocolUpstreamTransport,
  RawBuffer,
  SubjectAltNameMatcherSanType,
  TlsParametersTlsProtocol,
  type TransportSocketInput,
  UpstreamTlsContext,
} from '../../../xds/messages.js';
import { packAny } from './any.ts';
import { MESH_IDENTITY_SECRET, MESH_TRUST_SECRET } from './names.ts';

const NAME = 'envoy.transport_sockets.tls';
const TLS_1_3 = {
  tlsMinimumProtocolVersion: TlsParametersTlsProtocol.TLSv1_3,
  tlsMaximumProtocolVersion: TlsParametersTlsProtocol.TLSv1_3,
};

/** What a client may choose from; the listener finds out which it is by itself. */
const ALPN = ['h2', 'http/1.1'];

/** The callee's end of mesh mTLS: our SVID is shown, and a peer must show one that the trust bundle verifies. */
export function meshServerTls(alpnProtocols: readonly string[] = ALPN): TransportSocketInput {
  const commonTlsContext: CommonTlsContextInput = {
    tlsParams: TLS_1_3,
    alpnProtocols,
    tlsCertificateSdsSecretConfigs: [{ name: MESH_IDENTITY_SECRET }],
    validationContextSdsSecretConfig: { name: MESH_TRUST_SECRET },
  };
  const requireClientCertificate = { value: true };
  return {
    name: NAME,
    typedConfig: packAny(DownstreamTlsContext, { commonTlsContext, requireClientCertificate }),
  };
}

/** The caller's end: the peer's SVID must carry one of the ids. */
export function meshClientTls(serverName: string, spiffeIds: readonly string[]): TransportSocketInput {
  const commonTlsContext: CommonTlsContextInput = {
    tlsParams: TLS_1_3,
    tlsCertificateSdsSecretConfigs: [{ name: MESH_IDENTITY_SECRET }],
    combinedValidationContext: {
      defaultValidationContext: {
        matchTypedSubjectAltNames: spiffeIds.map((exact) => ({
          sanType: SubjectAltNameMatcherSanType.URI,
          matcher: { exact },
        })),
      },
      validationContextSdsSecretConfig: { name: MESH_TRUST_SECRET },
    },
  };
  return { name: NAME, typedConfig: packAny(UpstreamTlsContext, { commonTlsContext, sni: serverName }) };
}

/** A Gateway listener's own certificate, for clients outside the mesh. TLS 1.2 and up, as Envoy's default. */
export function certificateTls(certificatePem: string, privateKeyPem: string): TransportSocketInput {
  const commonTlsContext: CommonTlsContextInput = {
    tlsCertificates: [
      { certificateChain: { inlineString: certificatePem }, privateKey: { inlineString: privateKeyPem } },
    ],
    alpnProtocols: ['http/1.1'],
  };
  return { name: NAME, typedConfig: packAny(DownstreamTlsContext, { commonTlsContext }) };
}

/** Tells endpoints who the client is before its first byte. Our proxy does so within the mesh's TLS, for the app; an Envoy before it. */
export function proxyProtocolTransport(
  version: 'v1' | 'v2',
  inner: TransportSocketInput | undefined,
): TransportSocketInput {
  const { V1, V2 } = ProxyProtocolConfigVersion;
  return {
    name: 'envoy.transport_sockets.upstream_proxy_protocol',
    typedConfig: packAny(ProxyProtocolUpstreamTransport, {
      config: { version: version === 'v1' ? V1 : V2 },
      transportSocket: inner ?? { name: 'envoy.transport_sockets.raw_buffer', typedConfig: packAny(RawBuffer, {}) },
    }),
  };
}
