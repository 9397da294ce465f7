import { GRPC_CERTIFICATE_PROVIDER } from '../../../../api/meta/well-known.ts';
import {
  Cluster,
  ClusterDiscoveryType,
  ClusterLbPolicy,
  ClusterLoadAssignment,
  type TransportSocketInput,
  UpstreamTlsContext,
} from '../../../../xds/messages.js';
import { makeResource, type Resource } from '../../resource.ts';
import { packAny } from '../any.ts';
import type { MeshPort } from '../mesh-service.ts';
import { UNAVAILABLE_CLUSTER } from '../names.ts';

/** gRPC's clients know round robin wherever they know xDS; another policy would be refused by some of them. */
export function grpcCluster({ cluster, meshed, spiffeIds }: MeshPort): Resource {
  const security = meshed ? { transportSocket: meshTlsOfClient(spiffeIds) } : {};
  // Where it has its resources from it reports its load too: a canary's shares are made of it.
  return makeResource('cluster', Cluster, { ...edsCluster(cluster), ...security, lrsServer: { self: {} } });
}

/** Takes the calls that lead nowhere: it has no endpoints, so they end UNAVAILABLE. gRPC knows no static cluster, and no answer of a route's own. */
export function unavailableGrpcCluster(): Resource {
  return makeResource('cluster', Cluster, edsCluster(UNAVAILABLE_CLUSTER));
}

export function noGrpcEndpoints(): Resource {
  return makeResource('endpoints', ClusterLoadAssignment, { clusterName: UNAVAILABLE_CLUSTER });
}

function edsCluster(name: string) {
  return {
    name,
    type: ClusterDiscoveryType.EDS,
    edsClusterConfig: { edsConfig: { ads: {}, resourceApiVersion: 2 }, serviceName: name },
    lbPolicy: ClusterLbPolicy.ROUND_ROBIN,
  };
}

/**
 * Mesh mTLS with the certificates that the client's bootstrap names (gRFC A29). The peer's ids are in the older of the two fields: clients
 * that do not know the newer would take an empty list, which means anybody.
 */
function meshTlsOfClient(spiffeIds: readonly string[]): TransportSocketInput {
  const provider = { instanceName: GRPC_CERTIFICATE_PROVIDER };
  const tls = {
    commonTlsContext: {
      tlsCertificateProviderInstance: provider,
      combinedValidationContext: {
        defaultValidationContext: {
          caCertificateProviderInstance: provider,
          matchSubjectAltNames: spiffeIds.map((exact) => ({ exact })),
        },
      },
    },
  };
  return { name: 'envoy.transport_sockets.tls', typedConfig: packAny(UpstreamTlsContext, tls) };
}
