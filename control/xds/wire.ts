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
  return withNonce(once('sotw', response, features, server, make), response.nonce);
}

/** The same in the incremental protocol. */
export function deltaResponse(response: SessionResponse, features: ClientFeatures, server: string): Buffer {
  const { kind, version, resources, removed, heartbeat } = response;
  const make = (): Uint8Array =>
    DeltaDiscoveryResponse.encode({
      typeUrl: TYPE_URL[kind],
      systemVersionInfo: version,
      resources: resources.map((resource) => envelope(resource, features.timeToLive, heartbeat)),
      removedResources: removed,
      controlPlane: { identifier: server },
    }).finish();
  return withNonce(once('delta', response, features, server, make), response.nonce);
}

// Field 5 of both responses, length-delimited; a nonce is a number of ours in digits.
const NONCE = (5 << 3) | 2;

/** By hand, for of most responses nothing else is to be encoded. */
function withNonce(body: Uint8Array, nonce: string): Buffer {
  const whole = Buffer.allocUnsafe(body.length + 2 + nonce.length);
  whole.set(body);
  whole[body.length] = NONCE;
  whole[body.length + 1] = nonce.length;
  whole.write(nonce, body.length + 2, 'latin1');
  return whole;
}

interface Body {
  readonly variant: 'sotw' | 'delta';
  readonly timeToLive: boolean;
  readonly version: string;
  readonly server: string;
  readonly bytes: Uint8Array;
}

const bodies = new WeakMap<readonly Resource[], Body[]>();

/** All of a response but its nonce: fields may come in any order, so what hundreds of proxies are told is encoded once. */
function once(
  variant: 'sotw' | 'delta',
  { version, resources, removed, heartbeat }: SessionResponse,
  { timeToLive }: ClientFeatures,
  server: string,
  make: () => Uint8Array,
): Uint8Array {
  if (heartbeat || removed.length > 0) return make();
  const known = bodies.get(resources) ?? [];
  for (const one of known) {
    const same = one.variant === variant && one.timeToLive === timeToLive;
    if (same && one.version === version && one.server === server) return one.bytes;
  }
  const bytes = make();
  if (!isShared(resources)) return bytes;
  known.push({ variant, timeToLive, version, server, bytes });
  bodies.set(resources, known);
  return bytes;
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
