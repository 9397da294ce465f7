import { register } from '@grpc/grpc-js-xds';
import { validateBootstrapConfig } from '@grpc/grpc-js-xds/build/src/xds-bootstrap.js';
import { ClusterResourceType } from '@grpc/grpc-js-xds/build/src/xds-resource-type/cluster-resource-type.js';
import { EndpointResourceType } from '@grpc/grpc-js-xds/build/src/xds-resource-type/endpoint-resource-type.js';
import { ListenerResourceType } from '@grpc/grpc-js-xds/build/src/xds-resource-type/listener-resource-type.js';
import { RouteConfigurationResourceType } from '@grpc/grpc-js-xds/build/src/xds-resource-type/route-config-resource-type.js';
import type { XdsResourceType } from '@grpc/grpc-js-xds/build/src/xds-resource-type/xds-resource-type.js';
import { GRPC_CERTIFICATE_PROVIDER } from '../../../api/meta/well-known.ts';
import { type Resource, type ResourceKind, TYPE_URL } from '../resource.ts';

// The filters and balancers that it knows.
register();

const TYPES: Readonly<Record<ResourceKind, XdsResourceType>> = {
  cluster: ClusterResourceType.get(),
  endpoints: EndpointResourceType.get(),
  listener: ListenerResourceType.get(),
  route: RouteConfigurationResourceType.get(),
};

const FILES = { certificate_file: 'c', private_key_file: 'k', ca_certificate_file: 'a', refresh_interval: '10s' };
const BOOTSTRAP = validateBootstrapConfig({
  xds_servers: [{ server_uri: 'unix:xds', channel_creds: [{ type: 'insecure' }] }],
  node: { id: 'grpc/default/web-1', locality: {} },
  certificate_providers: { [GRPC_CERTIFICATE_PROVIDER]: { plugin_name: 'file_watcher', config: FILES } },
});

/** What gRPC's own client for Node refuses of a resource; undefined when it takes it. */
export function grpcProblem({ kind, value }: Resource): string | undefined {
  const [server] = BOOTSTRAP.xdsServers;
  if (server === undefined) throw new Error('the bootstrap has no server');
  const resource = { type_url: TYPE_URL[kind], value: Buffer.from(value) };
  return TYPES[kind].decode({ server, bootstrap: BOOTSTRAP }, resource).error;
}
