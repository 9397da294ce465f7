import {
  type AnyInput,
  type DeltaDiscoveryResponseInput,
  type DiscoveryResponseInput,
  type ResourceInput,
  Resource as WrappedResource,
} from '../../xds/messages.js';
import { type Resource, TYPE_URL } from './resource.ts';
import type { ClientFeatures, SessionResponse } from './session.ts';
import { durationOf } from './translate/any.ts';

/** A response as the state-of-the-world protocol has it. What lives for a time is wrapped; who cannot read that says so. */
export function sotwResponse(
  response: SessionResponse,
  features: ClientFeatures,
  server: string,
): DiscoveryResponseInput {
  const { kind, version, nonce, resources, heartbeat } = response;
  const typeUrl = TYPE_URL[kind];
  return {
    typeUrl,
    versionInfo: version,
    nonce,
    resources: resources.map((resource) => {
      const mortal = resource.ttlMs !== undefined && features.timeToLive;
      return mortal ? wrapped(resource, heartbeat) : { typeUrl, value: resource.value };
    }),
    controlPlane: { identifier: server },
  };
}

/** The same in the incremental protocol. */
export function deltaResponse(
  response: SessionResponse,
  features: ClientFeatures,
  server: string,
): DeltaDiscoveryResponseInput {
  const { kind, version, nonce, resources, removed, heartbeat } = response;
  return {
    typeUrl: TYPE_URL[kind],
    systemVersionInfo: version,
    nonce,
    resources: resources.map((resource) => envelope(resource, features.timeToLive, heartbeat)),
    removedResources: removed,
    controlPlane: { identifier: server },
  };
}

/** What a node says that it can do (xds_protocol.rst, "Resource TTL"). */
export function clientFeatures(variant: 'sotw' | 'delta', named: readonly string[]): ClientFeatures {
  const timeToLive = named.includes('xds.config.supports-resource-ttl');
  return { timeToLive: timeToLive && (variant === 'delta' || named.includes('xds.config.supports-resource-in-sotw')) };
}

function wrapped(resource: Resource, heartbeat: boolean): AnyInput {
  return {
    typeUrl: WrappedResource.getTypeUrl(),
    value: WrappedResource.encode(envelope(resource, true, heartbeat)).finish(),
  };
}

function envelope(
  { kind, name, version, value, ttlMs }: Resource,
  timeToLive: boolean,
  heartbeat: boolean,
): ResourceInput {
  return {
    name,
    version,
    ...(timeToLive && ttlMs !== undefined ? { ttl: durationOf(ttlMs) } : {}),
    ...(heartbeat ? {} : { resource: { typeUrl: TYPE_URL[kind], value } }),
  };
}
