import type { Pod } from '../../api/kinds/pod.ts';
import type { KeyToPath, Volume } from '../../api/kinds/volume.ts';
import { ConfigError } from '../environment/config-error.ts';
import type { ConfigObjects } from '../environment/container-environment.ts';
import { fieldValue, type PodPlace } from '../environment/field-value.ts';
import { resourceValue } from '../environment/resource-value.ts';
import type { ProjectedFile } from './atomic-folder.ts';

export interface VolumeInput {
  readonly pod: Pod;
  readonly place: PodPlace;
  readonly objects: ConfigObjects;
  readonly allocatable: Readonly<Record<string, string>>;
  /** Tokens that were issued for projected sources, by {@link tokenKey}. */
  readonly tokens: ReadonlyMap<string, string>;
}

/** A token that a projected volume wants. */
export interface TokenWish {
  readonly audience: string | undefined;
  readonly expirationSeconds: number;
}

type Keys = Readonly<Record<string, Buffer>>;
type DownwardItems = NonNullable<NonNullable<Volume['downwardAPI']>['items']>;
type ProjectedSource = NonNullable<NonNullable<Volume['projected']>['sources']>[number];

export function tokenKey({ audience, expirationSeconds }: TokenWish): string {
  return `${audience ?? ''} ${expirationSeconds}`;
}

/** Tokens that the volumes of a pod want. */
export function tokenWishes({ spec }: Pod): readonly TokenWish[] {
  return (spec.volumes ?? []).flatMap(({ projected }) =>
    (projected?.sources ?? []).flatMap(({ serviceAccountToken: token }) =>
      token === undefined ? [] : [{ audience: token.audience, expirationSeconds: token.expirationSeconds }],
    ),
  );
}

/**
 * The files of a volume that is made of objects; undefined for a volume of another kind. Where two sources give the same
 * path, the later wins (pkg/volume/projected/projected.go). Throws ConfigError for what is missing and not optional.
 */
export function volumeFiles(volume: Volume, input: VolumeInput): readonly ProjectedFile[] | undefined {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap !== undefined) return configMapFiles(configMap, configMap.defaultMode, input);
  if (secret !== undefined) return secretFiles({ ...secret, name: secret.secretName ?? '' }, secret.defaultMode, input);
  if (downwardAPI !== undefined) return downwardFiles(downwardAPI.items, downwardAPI.defaultMode, input);
  if (projected === undefined) return undefined;
  const files = (projected.sources ?? []).flatMap((source) => sourceFiles(source, projected.defaultMode, input));
  return [...new Map(files.map((file) => [file.path, file])).values()];
}

function sourceFiles(source: ProjectedSource, mode: number, input: VolumeInput): readonly ProjectedFile[] {
  const { configMap, secret, downwardAPI, serviceAccountToken } = source;
  if (configMap !== undefined) return configMapFiles(configMap, mode, input);
  if (secret !== undefined) return secretFiles(secret, mode, input);
  if (downwardAPI !== undefined) return downwardFiles(downwardAPI.items, mode, input);
  if (serviceAccountToken === undefined) throw new ConfigError('projected volume: a source that is not supported');
  const { audience, expirationSeconds, path } = serviceAccountToken;
  const token = input.tokens.get(tokenKey({ audience, expirationSeconds }));
  if (token === undefined) throw new ConfigError('projected volume: no service account token yet');
  // As the kubelet, which widens the mode for nobody: a token is for the pod's user alone.
  return [{ path: safePath(path), bytes: Buffer.from(token), mode: 0o600 }];
}

interface ObjectSource {
  readonly name: string;
  readonly items?: readonly KeyToPath[] | undefined;
  readonly optional?: boolean | undefined;
}

function configMapFiles(source: ObjectSource, mode: number, { objects }: VolumeInput): readonly ProjectedFile[] {
  const map = objects.configMap(source.name);
  if (map === undefined) return missing('configmap', source);
  const text = Object.entries(map.data ?? {}).map(([key, value]) => [key, Buffer.from(value)] as const);
  const bytes = Object.entries(map.binaryData ?? {}).map(
    ([key, value]) => [key, Buffer.from(value, 'base64')] as const,
  );
  return keyFiles('configmap', source, Object.fromEntries([...text, ...bytes]), mode);
}

function secretFiles(source: ObjectSource, mode: number, { objects }: VolumeInput): readonly ProjectedFile[] {
  const secret = objects.secret(source.name);
  if (secret === undefined) return missing('secret', source);
  const entries = Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')] as const);
  return keyFiles('secret', source, Object.fromEntries(entries), mode);
}

function missing(kind: string, { name, optional }: ObjectSource): readonly ProjectedFile[] {
  if (optional === true) return [];
  throw new ConfigError(`${kind} "${name}" not found`);
}

function keyFiles(kind: string, source: ObjectSource, keys: Keys, mode: number): readonly ProjectedFile[] {
  if (source.items === undefined || source.items.length === 0) {
    return Object.entries(keys).map(([path, bytes]) => ({ path: safePath(path), bytes, mode }));
  }
  return source.items.flatMap((item) => {
    const bytes = keys[item.key];
    if (bytes !== undefined) return [{ path: safePath(item.path), bytes, mode: item.mode ?? mode }];
    if (source.optional === true) return [];
    throw new ConfigError(`${kind} "${source.name}" references non-existent key: ${item.key}`);
  });
}

function downwardFiles(items: DownwardItems | undefined, mode: number, input: VolumeInput): readonly ProjectedFile[] {
  return (items ?? []).map((item) => ({
    path: safePath(item.path),
    bytes: Buffer.from(downwardText(item, input)),
    mode: item.mode ?? mode,
  }));
}

function downwardText({ fieldRef, resourceFieldRef, path }: DownwardItems[number], input: VolumeInput): string {
  if (fieldRef !== undefined) return fieldValue(input.pod, fieldRef.fieldPath, input.place);
  const name = resourceFieldRef?.containerName;
  const containers = [...input.pod.spec.containers, ...(input.pod.spec.initContainers ?? [])];
  const container = containers.find((each) => each.name === name);
  if (resourceFieldRef === undefined || container === undefined) {
    throw new ConfigError(`downward API file "${path}": names neither a field nor a container`);
  }
  return resourceValue(container, resourceFieldRef, input.allocatable);
}

/** Kubernetes' validation says the same; a path that leaves its folder must not get past it either way. */
function safePath(path: string): string {
  const parts = path.split('/');
  if (path === '' || path.startsWith('..') || path.startsWith('/') || parts.includes('..')) {
    throw new ConfigError(`volume file "${path}": not a path inside the volume`);
  }
  return path;
}
