import {
  type AnyInput,
  DeltaDiscoveryResponse,
  DiscoveryResponse,
  type ResourceInput,
  Resource as WrappedResource,
} from '../../xds/messages.js';
import { type Resource, TYPE_URL } from './resource.ts';
import { isShared } from './resource-difference.ts';
import type { ClientFeatures, SessionResponse } from './session.ts';
import { durationOf } from './translate/any.ts';

/** A response as the state-of-the-world protocol has it. What lives for a time is wrapped; who cannot read that says so. */
export function sotwResponse(response: SessionResponse, features: ClientFeatures, server: string): Buffer {
  const { kind, version, resources, heartbeat } = response;
  const typeUrl = TYPE_URL[kind];
  const make = (): Uint8Array =>
    DiscoveryResponse.encode({
      typeUrl,
      versionInfo: version,
      resources: resources.map((resource) => {
        const mortal = resource.ttlMs !== undefined && features.timeToLive;
        return mortal ? wrapped(resource, heartbeat) : { typeUrl, value: resource.value };
      }),
      controlPlane: { identifier: server },
    }).finish();
  const { nonce } = response;
  return Buffer.concat([once('sotw', response, features, server, make), DiscoveryResponse.encode({ nonce }).finish()]);
}

/** The same in the incremental protocol. */
export function deltaResponse(response: SessionResponse, features: ClientFeatures, server: string): Buffer {
  const { kind, version, resources, removed, heartbeat, nonce } = response;
  const make = (): Uint8Array =>
    DeltaDiscoveryResponse.encode({
      typeUrl: TYPE_URL[kind],
      systemVersionInfo: version,
      resources: resources.map((resource) => envelope(resource, features.timeToLive, heartbeat)),
      removedResources: removed,
      controlPlane: { identifier: server },
    }).finish();
  const body = once('delta', response, features, server, make);
  return Buffer.concat([body, DeltaDiscoveryResponse.encode({ nonce }).finish()]);
}

const bodies = new WeakMap<readonly Resource[], Map<string, Uint8Array>>();

/** All of a response but its nonce: fields may come in any order, so what hundreds of proxies are told is encoded once. */
function once(
  variant: 'sotw' | 'delta',
  { version, resources, removed, heartbeat }: SessionResponse,
  { timeToLive }: ClientFeatures,
  server: string,
  make: () => Uint8Array,
): Uint8Array {
  if (heartbeat || removed.length > 0 || !isShared(resources)) return make();
  const known = bodies.get(resources) ?? new Map<string, Uint8Array>();
  bodies.set(resources, known);
  const key = `${variant} ${timeToLive} ${version} ${server}`;
  const body = known.get(key) ?? make();
  known.set(key, body);
  return body;
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
