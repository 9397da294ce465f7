import { join } from 'node:path';
import type { Pod } from '../../api/kinds/pod.ts';
import { GRPC_CERTIFICATE_PROVIDER, PROXYLESS_GRPC } from '../../api/meta/well-known.ts';

/** Where gRPC looks for its bootstrap (gRFC A27). */
const BOOTSTRAP_VARIABLE = 'GRPC_XDS_BOOTSTRAP';

export interface GrpcFiles {
  readonly bootstrap: string;
  /** Holds the three below, which change together. */
  readonly identityFolder: string;
  readonly certificate: string;
  readonly key: string;
  readonly trustBundle: string;
}

export function wantsGrpc({ metadata }: Pod): boolean {
  return metadata.annotations?.[PROXYLESS_GRPC] === 'true';
}

/** Names as Istio gives them (security/pkg/nodeagent, "cert-chain.pem" and its siblings). */
export function grpcFiles(podFolder: string): GrpcFiles {
  const folder = join(podFolder, 'grpc');
  const identityFolder = join(folder, 'identity');
  return {
    bootstrap: join(folder, 'bootstrap.json'),
    identityFolder,
    certificate: join(identityFolder, 'cert-chain.pem'),
    key: join(identityFolder, 'key.pem'),
    trustBundle: join(identityFolder, 'root-cert.pem'),
  };
}

/** Three small files. A root that is new must be trusted before the first certificate is signed by it. */
const REFRESH = '1s';

/**
 * The bootstrap (gRFC A27, A29): ADS on the Workload API's socket, where the kernel says who asks, so that no credentials are needed; the
 * certificates from files. `locality` must be there for grpc-js.
 */
export function grpcBootstrap(pod: Pod, workloadApi: string, files: GrpcFiles): object {
  const { name, namespace = '' } = pod.metadata;
  return {
    xds_servers: [{ server_uri: workloadApi, channel_creds: [{ type: 'insecure' }], server_features: ['xds_v3'] }],
    node: { id: `grpc/${namespace}/${name}`, cluster: namespace, locality: {} },
    certificate_providers: {
      [GRPC_CERTIFICATE_PROVIDER]: {
        plugin_name: 'file_watcher',
        config: {
          certificate_file: files.certificate,
          private_key_file: files.key,
          ca_certificate_file: files.trustBundle,
          refresh_interval: REFRESH,
        },
      },
    },
  };
}

export function grpcVariables(pod: Pod, podFolder: string): Record<string, string> {
  return wantsGrpc(pod) ? { [BOOTSTRAP_VARIABLE]: grpcFiles(podFolder).bootstrap } : {};
}
