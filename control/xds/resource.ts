import { hash } from 'node:crypto';
import { Cluster, ClusterLoadAssignment, type Codec, Listener, RouteConfiguration } from '../../xds/messages.js';
import { LayeredMap } from './layered-map.ts';

/** The four kinds of resource that make up a proxy's configuration, in the order of make-before-break. */
export const RESOURCE_KINDS = ['cluster', 'endpoints', 'listener', 'route'] as const;
export type ResourceKind = (typeof RESOURCE_KINDS)[number];

export const TYPE_URL: Readonly<Record<ResourceKind, string>> = {
  cluster: Cluster.getTypeUrl(),
  endpoints: ClusterLoadAssignment.getTypeUrl(),
  listener: Listener.getTypeUrl(),
  route: RouteConfiguration.getTypeUrl(),
};

export function kindOfTypeUrl(typeUrl: string): ResourceKind | undefined {
  return KIND_OF_URL.get(typeUrl);
}

const KIND_OF_URL: ReadonlyMap<string, ResourceKind> = new Map(RESOURCE_KINDS.map((kind) => [TYPE_URL[kind], kind]));

/** One xDS resource as it goes over the wire. Never mutated; the same content has the same version on every server. */
export interface Resource {
  readonly kind: ResourceKind;
  readonly name: string;
  /** Hash of the content, so that a restarted control plane gives what it gave before. */
  readonly version: string;
  readonly value: Uint8Array;
  /** What objects it was made of (`HTTPRoute/shop/catalog`, `Pod/shop/web-1/<uid>`): who carries what follows from it. */
  readonly carries: readonly string[];
  /** A proxy that has heard nothing of it for so long forgets it; undefined for never. */
  readonly ttlMs?: number;
}

export type ResourceMap = ReadonlyMap<string, Resource>;

/** All that one proxy is to have. */
export type Snapshot = Readonly<Record<ResourceKind, ResourceMap>>;

export function makeResource<Input>(
  kind: ResourceKind,
  codec: Codec<Input, unknown>,
  message: Input & { readonly name?: string; readonly clusterName?: string },
  carries: readonly string[] = [],
): Resource {
  // A copy of its own: what an encoder gives is a part of a pool, and would keep all of it, many times its size, from the collector.
  const value = new Uint8Array(codec.encode(message).finish());
  return { kind, name: message.name ?? message.clusterName ?? '', version: versionOfBytes(value), value, carries };
}

/** Of the content alone. */
export function versionOfBytes(value: Uint8Array): string {
  return shortHash(value);
}

export function resourceMap(resources: Iterable<Resource>): ResourceMap {
  return new Map([...resources].map((resource) => [resource.name, resource]));
}

const versions = new WeakMap<ResourceMap, string>();

/** The version of a set: changes when, and only when, a member comes, goes or changes. */
export function versionOf(resources: ResourceMap): string {
  const known = versions.get(resources);
  if (known !== undefined) return known;
  const version =
    resources instanceof LayeredMap
      ? shortHash(`${versionOf(resources.shared)} ${versionOf(resources.own)}`)
      : shortHash([...resources.values()].map(lineOf).sort().join(''));
  versions.set(resources, version);
  return version;
}

function lineOf({ name, version }: Resource): string {
  return `${name} ${version}\n`;
}

/** Whether two say the same and are made of the same: objects change, as by their status, without what proxies are told. */
export function isSameResource(left: Resource | undefined, right: Resource | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  const { carries } = left;
  return (
    left.version === right.version &&
    left.name === right.name &&
    carries.length === right.carries.length &&
    carries.every((object, at) => object === right.carries[at])
  );
}

/** The same content for a limited time: another version, so that a changed limit is told. */
export function mortal(resource: Resource, ttlMs: number): Resource {
  return { ...resource, ttlMs, version: shortHash(`${resource.version} ${ttlMs}`) };
}

const mortals = new WeakMap<ResourceMap, boolean>();

/** Whether a set has members that live for a time; looked at once for all proxies that share it. */
export function hasMortals(resources: ResourceMap): boolean {
  let found = mortals.get(resources);
  if (found === undefined) {
    found = [...resources.values()].some(({ ttlMs }) => ttlMs !== undefined);
    mortals.set(resources, found);
  }
  return found;
}

// 64 bits: among a million versions two are alike once in 37 million clusters.
function shortHash(content: string | Uint8Array): string {
  // Not a slice of the whole hash's text, which would keep the whole.
  return hash('sha256', content, 'buffer').toString('hex', 0, 8);
}
