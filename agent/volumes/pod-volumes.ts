import { chmod, cp, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { Container } from '../../api/kinds/container.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { Volume, VolumeMount } from '../../api/kinds/volume.ts';
import { makeFolder } from '../../kit/make-folder.ts';
import { ConfigError } from '../environment/config-error.ts';
import { expand } from '../environment/expand.ts';
import type { Mount } from '../runtime/runtime.ts';
import { writeAtomicFolder } from './atomic-folder.ts';
import { type VolumeInput, volumeFiles } from './volume-files.ts';

/**
 * Makes the content of a pod's volumes, or brings it up to date. Throws ConfigError, with the volume's name, for one that
 * cannot be had. What objects are made of is replaced at once; an emptyDir that is there stays.
 */
export async function writeVolumes(podFolder: string, input: VolumeInput, nowMs: number): Promise<void> {
  for (const volume of input.pod.spec.volumes ?? []) {
    try {
      await writeVolume(volumeSource(podFolder, volume), volume, input, nowMs);
    } catch (error) {
      const message = `MountVolume.SetUp failed for volume "${volume.name}" : ${(error as Error).message}`;
      throw new ConfigError(message, { cause: error });
    }
  }
}

/**
 * A container's mounts, from where their content is. `subPathExpr` is expanded from the container's variables.
 *
 * A path inside a volume that objects are made of is mounted as it is when the container starts and never follows them
 * (kubernetes.io/docs, "Volumes", subPath): the kubelet binds the file of then, here it is copied.
 */
export async function mountsOf(
  podFolder: string,
  pod: Pod,
  container: Pick<Container, 'name' | 'volumeMounts'>,
  variables: Readonly<Record<string, string>>,
): Promise<readonly Mount[]> {
  const mounts: Mount[] = [];
  const copies = join(podFolder, 'subpaths', container.name);
  await rm(copies, { recursive: true, force: true });
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const volume = pod.spec.volumes?.find(({ name }) => name === mount.name);
    if (volume === undefined) throw new ConfigError(`no volume named "${mount.name}"`);
    const source = volumeSource(podFolder, volume);
    const subPath = subPathOf(mount, variables);
    const sourcePath =
      subPath === '' ? source : await subPathSource({ volume, source, subPath, copy: join(copies, String(index)) });
    mounts.push({ mountPath: mount.mountPath, sourcePath });
  }
  return mounts;
}

interface SubPath {
  readonly volume: Volume;
  readonly source: string;
  readonly subPath: string;
  /** Where it is copied to, if it is. */
  readonly copy: string;
}

/** What is missing is made, as a folder (pkg/volume/util/subpath); what a link leads out of the volume is refused. */
async function subPathSource({ volume, source, subPath, copy }: SubPath): Promise<string> {
  const path = join(source, subPath);
  const isOfObjects = volume.emptyDir === undefined && volume.hostPath === undefined;
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  if (!isThere) {
    const made = isOfObjects ? copy : path;
    makeFolder(made, { mode: 0o777 });
    return made;
  }
  const [root, real] = await Promise.all([realpath(source), realpath(path)]);
  if (real !== root && !real.startsWith(`${root}/`)) {
    throw new ConfigError(`subPath "${subPath}": leads out of volume "${volume.name}" by a link`);
  }
  if (!isOfObjects) return path;
  await cp(real, copy, { recursive: true, dereference: true });
  return copy;
}

/** Where a volume's content is: in the pod's folder, or on the host itself. */
function volumeSource(podFolder: string, { name, hostPath }: Volume): string {
  return hostPath === undefined ? emptyDirFolder(podFolder, name) : hostPath.path;
}

/** Where a volume that is the pod's own has its content. */
export function emptyDirFolder(podFolder: string, name: string): string {
  return join(podFolder, 'volume-data', name);
}

async function writeVolume(source: string, volume: Volume, input: VolumeInput, nowMs: number): Promise<void> {
  if (volume.hostPath !== undefined) return checkHostPath(volume.hostPath);
  if (volume.emptyDir !== undefined) {
    makeFolder(source);
    // Any user of the pod may write (pkg/volume/emptydir, perm 0777).
    return chmod(source, 0o777);
  }
  const files = volumeFiles(volume, input);
  if (files === undefined) throw new ConfigError('this kind of volume is not supported by the process driver');
  await writeAtomicFolder(source, files, nowMs);
}

/** What the type of a hostPath asks for (pkg/volume/hostpath). */
async function checkHostPath({ path, type }: NonNullable<Volume['hostPath']>): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  switch (type) {
    case 'DirectoryOrCreate':
      if (found === undefined) makeFolder(path, { mode: 0o755 });
      else if (!found.isDirectory()) throw new ConfigError(`hostPath type check failed: ${path} is not a directory`);
      return;
    case 'FileOrCreate':
      if (found === undefined) await writeFile(path, '', { flag: 'wx', mode: 0o644 });
      else if (!found.isFile()) throw new ConfigError(`hostPath type check failed: ${path} is not a file`);
      return;
    case 'Directory':
      if (found?.isDirectory() !== true)
        throw new ConfigError(`hostPath type check failed: ${path} is not a directory`);
      return;
    case 'File':
      if (found?.isFile() !== true) throw new ConfigError(`hostPath type check failed: ${path} is not a file`);
      return;
    case 'Socket':
      if (found?.isSocket() !== true) throw new ConfigError(`hostPath type check failed: ${path} is not a socket file`);
      return;
    default:
      return;
  }
}

function subPathOf({ subPath, subPathExpr }: VolumeMount, variables: Readonly<Record<string, string>>): string {
  const known = (name: string): string => {
    const value = variables[name];
    if (value === undefined)
      throw new ConfigError(`subPathExpr "${subPathExpr}": the container has no variable ${name}`);
    return value;
  };
  const path = subPathExpr === undefined ? (subPath ?? '') : expand(subPathExpr, known);
  const normal = posix.normalize(path === '' ? '.' : path);
  if (posix.isAbsolute(normal) || normal === '..' || normal.startsWith('../')) {
    throw new ConfigError(`subPath "${path}": must not leave its volume`);
  }
  return normal === '.' ? '' : normal;
}
