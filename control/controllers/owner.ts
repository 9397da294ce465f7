import { apiVersionOf, type Kind, type KubeObject } from '../../api/kinds/kind.ts';
import { type LabelSelector, matchesSelector } from '../../api/meta/label-selector.ts';
import type { OwnerReference } from '../../api/meta/object-meta.ts';

/** The owner that manages the object (metav1.GetControllerOf). */
export function controllerOf(object: Pick<KubeObject, 'metadata'>): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find(({ controller }) => controller === true);
}

export function isControlledBy(object: Pick<KubeObject, 'metadata'>, owner: Pick<KubeObject, 'metadata'>): boolean {
  return controllerOf(object)?.uid === owner.metadata.uid;
}

/** metav1.NewControllerRef. */
export function controllerReference<T extends KubeObject>(kind: Kind<T>, owner: KubeObject): OwnerReference {
  return {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

export interface Claims<T> {
  /** What the owner manages already and still selects. */
  readonly owned: readonly T[];
  /** Orphans that match: the owner's reference is to be added. */
  readonly adopt: readonly T[];
  /** Managed ones that no longer match: the owner's reference is to be removed. */
  readonly release: readonly T[];
}

/**
 * Which of the namespace's objects belong to `owner` (BaseControllerRefManager.ClaimObject): it keeps what it manages
 * and selects, lets go of what no longer matches, and adopts matching orphans. Nothing is adopted or let go while
 * either side is being deleted.
 */
export function claim<T extends KubeObject>(
  owner: KubeObject,
  selector: LabelSelector,
  candidates: readonly T[],
): Claims<T> {
  const owned: T[] = [];
  const adopt: T[] = [];
  const release: T[] = [];
  for (const candidate of candidates) {
    const matches = matchesSelector(selector, candidate.metadata.labels);
    const controller = controllerOf(candidate);
    if (controller !== undefined) {
      if (controller.uid !== owner.metadata.uid) continue;
      if (matches) owned.push(candidate);
      else if (owner.metadata.deletionTimestamp === undefined) release.push(candidate);
    } else if (matches && !isBeingDeleted(owner) && !isBeingDeleted(candidate)) adopt.push(candidate);
  }
  return { owned, adopt, release };
}

function isBeingDeleted(object: KubeObject): boolean {
  return object.metadata.deletionTimestamp !== undefined;
}
