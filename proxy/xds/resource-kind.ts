import { Cluster, ClusterLoadAssignment, Listener, RouteConfiguration } from '../../xds/messages.js';

/** The types of resources that this proxy subscribes to, in the order in which they build on each other. */
export const RESOURCE_KINDS = ['cluster', 'endpoints', 'listener', 'route'] as const;
export type ResourceKind = (typeof RESOURCE_KINDS)[number];

export const TYPE_URL: Readonly<Record<ResourceKind, string>> = {
  cluster: Cluster.getTypeUrl(),
  endpoints: ClusterLoadAssignment.getTypeUrl(),
  listener: Listener.getTypeUrl(),
  route: RouteConfiguration.getTypeUrl(),
};

export function kindOfTypeUrl(typeUrl: string): ResourceKind | undefined {
  return RESOURCE_KINDS.find((kind) => TYPE_URL[kind] === typeUrl);
}
