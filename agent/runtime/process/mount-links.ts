import { rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '../../../kit/make-folder.ts';
import type { Mount } from '../runtime.ts';

/** Where a mount is on the host. */
export interface PlacedMount extends Mount {
  readonly place: string;
}

/**
 * Each mount's place: its mount path under the volume root. A mount inside another one's path would have to be made inside
 * that volume, which may be the host's: it gets a place of its own under
 * `.nested`, and is reached by its own path only.
 */
export function placeMounts(volumeRoot: string, mounts: readonly Mount[]): readonly PlacedMount[] {
  return mounts.map((mount, index) => {
    const isNested = mounts.some((other) => isInside(mount.mountPath, other.mountPath));
    return { ...mount, place: join(volumeRoot, isNested ? `.nested/${index}` : '', mount.mountPath) };
  });
}

/** Puts a link to each volume in its place. What was there before goes. */
export async function linkMounts(volumeRoot: string, mounts: readonly PlacedMount[]): Promise<void> {
  await rm(volumeRoot, { recursive: true, force: true });
  makeFolder(volumeRoot);
  for (const { place, sourcePath } of mounts) {
    makeFolder(dirname(place));
    await symlink(sourcePath, place);
  }
}

function isInside(inner: string, outer: string): boolean {
  const prefix = outer.endsWith('/') ? outer : `${outer}/`;
  return inner.startsWith(prefix) && inner.replace(/\/+$/, '') !== outer.replace(/\/+$/, '');
}
