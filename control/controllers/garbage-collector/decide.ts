import type { DeleteOptions } from '../../../api/client/client.ts';
import type { KubeObject } from '../../../api/kinds/kind.ts';
import type { OwnerReference } from '../../../api/meta/object-meta.ts';

/** Finalizers that a DELETE with a propagation policy leaves for the collector. */
export const ORPHAN = 'orphan';
export const FOREGROUND = 'foregroundDeletion';

/**
 * present: it is there, and so is what it owns. absent: no object with that uid is there. waiting: it is being deleted in
 * the foreground and waits for what it owns. unknown: its kind is not served here, so nobody can tell.
 */
export type OwnerState = 'present' | 'absent' | 'waiting' | 'unknown';

export interface GarbageSnapshot {
  readonly object: KubeObject;
  readonly owners: readonly { readonly reference: OwnerReference; readonly state: OwnerState }[];
  /** What names the object as an owner. */
  readonly dependents: readonly KubeObject[];
}

export type GarbagePlan =
  | { readonly type: 'keep'; readonly reason: string }
  | {
      readonly type: 'delete';
      readonly policy: NonNullable<DeleteOptions['propagationPolicy']>;
      readonly reason: string;
    }
  /** Some owners are there and others not: the references to those go. */
  | { readonly type: 'drop-owners'; readonly uids: readonly string[]; readonly reason: string }
  /** Look at these: their owner waits for them. */
  | { readonly type: 'await-dependents'; readonly dependents: readonly KubeObject[]; readonly reason: string }
  /** The object's references are taken out of these, and then `finalizer` out of the object. */
  | {
      readonly type: 'release';
      readonly finalizer: string;
      readonly orphans: readonly KubeObject[];
      readonly reason: string;
    };

/**
 * What becomes of an object by its owners and of its dependents by its own deletion (attemptToDeleteItem,
 * processDeletingDependentsItem and attemptToOrphan in pkg/controller/garbagecollector/garbagecollector.go).
 */
export function decideGarbage({ object, owners, dependents }: GarbageSnapshot): GarbagePlan {
  const { finalizers = [] } = object.metadata;
  if (object.metadata.deletionTimestamp !== undefined) {
    if (finalizers.includes(ORPHAN)) {
      const reason = `${dependents.length} dependents are set free`;
      return { type: 'release', finalizer: ORPHAN, orphans: dependents, reason };
    }
    if (isWaiting(object)) return decideForeground(object, dependents);
    return { type: 'keep', reason: 'it is being deleted already' };
  }
  return decideByOwners({ object, owners, dependents });
}

/** Deleted in the foreground: it stays until the last dependent that blocks it is gone. */
export function isWaiting({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(FOREGROUND);
}

function decideForeground(object: KubeObject, dependents: readonly KubeObject[]): GarbagePlan {
  const blocking = dependents.filter(({ metadata }) =>
    metadata.ownerReferences?.some(({ uid, blockOwnerDeletion }) => uid === object.metadata.uid && blockOwnerDeletion),
  );
  if (blocking.length === 0) {
    return { type: 'release', finalizer: FOREGROUND, orphans: [], reason: 'no dependent is left' };
  }
  const reason = `${blocking.length} dependents are left`;
  return { type: 'await-dependents', dependents: blocking, reason };
}

function decideByOwners({ object, owners, dependents }: GarbageSnapshot): GarbagePlan {
  const inState = (...states: readonly OwnerState[]) => owners.filter(({ state }) => states.includes(state));
  const solid = inState('present', 'unknown');
  const gone = inState('absent', 'waiting');
  if (gone.length === 0)
    return { type: 'keep', reason: owners.length === 0 ? 'it has no owner' : 'its owners are there' };
  if (solid.length > 0) {
    const uids = gone.map(({ reference }) => reference.uid);
    return { type: 'drop-owners', uids, reason: `${uids.length} of ${owners.length} owners are gone` };
  }
  const waits = inState('waiting').length > 0;
  // Its own dependents hold up the owner that waits: the whole tree goes in the foreground. In a circle, somebody must
  // go first: one that waits itself blocks nobody.
  const isCircle = dependents.some(isWaiting);
  if (waits && dependents.length > 0 && !isCircle) {
    return { type: 'delete', policy: 'Foreground', reason: 'its owner waits for it, and it has dependents' };
  }
  const policy = policyOf(object);
  return { type: 'delete', policy, reason: waits ? 'its owner waits for it' : 'its owners are gone' };
}

/** What was asked for before, by a finalizer that is there already. */
function policyOf({ metadata: { finalizers = [] } }: KubeObject): 'Orphan' | 'Foreground' | 'Background' {
  if (finalizers.includes(ORPHAN)) return 'Orphan';
  return finalizers.includes(FOREGROUND) ? 'Foreground' : 'Background';
}
