import type { Client } from '../../api/client/client.ts';
import type { Kind, KubeObject } from '../../api/kinds/kind.ts';
import { hasCode } from '../../api/meta/api-error.ts';
import { refOf } from './controller.ts';
import { type Claims, controllerReference } from './owner.ts';

export interface Ownership<O extends KubeObject, T extends KubeObject> {
  readonly owner: O;
  readonly ownerKind: Kind<O>;
  readonly kind: Kind<T>;
  readonly claims: Claims<T>;
}

/**
 * Writes who belongs to whom. Before anything is adopted the owner is looked at itself: a cache may still show one that
 * is gone or being deleted (RecheckDeletionTimestamp). Gives whether something was written.
 */
export async function settleOwnership<O extends KubeObject, T extends KubeObject>(
  client: Client,
  { owner, ownerKind, kind, claims: { adopt, release } }: Ownership<O, T>,
): Promise<boolean> {
  if (adopt.length > 0) {
    const present = await client.get(ownerKind, refOf(owner));
    if (present.metadata.uid !== owner.metadata.uid || present.metadata.deletionTimestamp !== undefined) return false;
  }
  const reference = controllerReference(ownerKind, owner);
  for (const object of adopt) {
    const ownerReferences = [...(object.metadata.ownerReferences ?? []), reference];
    await update(client, kind, { ...object, metadata: { ...object.metadata, ownerReferences } });
  }
  for (const object of release) {
    const ownerReferences = (object.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner.metadata.uid);
    await update(client, kind, { ...object, metadata: { ...object.metadata, ownerReferences } });
  }
  return adopt.length + release.length > 0;
}

async function update<T extends KubeObject>(client: Client, kind: Kind<T>, object: T): Promise<void> {
  try {
    await client.update(kind, object);
  } catch (error) {
    // Gone meanwhile: nobody's any more.
    if (!hasCode(error, 404)) throw error;
  }
}
