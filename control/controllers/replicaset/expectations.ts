import type { Pod } from '../../../api/kinds/pod.ts';

/** Longer than any event takes to come; after it, what was expected is taken to have got lost (ExpectationsTimeout). */
const EXPECTATION_TTL_MS = 5 * 60_000;

interface Expected {
  /** Names of pods that were asked for and not seen yet. */
  readonly creations: Set<string>;
  /** Uids of pods that were deleted and still seem alive. */
  readonly deletions: Set<string>;
  readonly since: number;
}

/**
 * What a controller has done that its cache does not show yet. While anything is expected for an owner, nothing more is
 * made or deleted for it: a stale cache never leads to a pod too many or too few. (Kubernetes counts creations; here
 * names are chosen before the call, so that each one is told apart even when its event comes before the answer.)
 */
export class Expectations {
  readonly #byOwner = new Map<string, Expected>();
  readonly #monotonic: () => number;

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  expectCreations(owner: string, names: readonly string[]): void {
    const expected = this.#of(owner);
    for (const name of names) expected.creations.add(name);
  }

  expectDeletions(owner: string, uids: readonly string[]): void {
    const expected = this.#of(owner);
    for (const uid of uids) expected.deletions.add(uid);
  }

  /** The pod will not come: it was refused. */
  forgetCreation(owner: string, name: string): void {
    this.#byOwner.get(owner)?.creations.delete(name);
  }

  forgetDeletion(owner: string, uid: string): void {
    this.#byOwner.get(owner)?.deletions.delete(uid);
  }

  /** An event showed the pod as it is now. */
  sawPod(owner: string, { metadata }: Pod): void {
    const expected = this.#byOwner.get(owner);
    expected?.creations.delete(metadata.name);
    if (metadata.deletionTimestamp !== undefined) expected?.deletions.delete(metadata.uid);
  }

  /** An event showed that the pod is gone. */
  sawPodGone(owner: string, { metadata }: Pod): void {
    const expected = this.#byOwner.get(owner);
    expected?.creations.delete(metadata.name);
    expected?.deletions.delete(metadata.uid);
  }

  /** Whether the cache shows all that was done, or it is too long ago. */
  areMet(owner: string): boolean {
    const expected = this.#byOwner.get(owner);
    if (expected === undefined) return true;
    const isPending = expected.creations.size + expected.deletions.size > 0;
    if (isPending && this.#monotonic() - expected.since < EXPECTATION_TTL_MS) return false;
    this.#byOwner.delete(owner);
    return true;
  }

  /** The owner is gone. */
  forget(owner: string): void {
    this.#byOwner.delete(owner);
  }

  #of(owner: string): Expected {
    const present = this.#byOwner.get(owner);
    if (present !== undefined) return present;
    const expected = { creations: new Set<string>(), deletions: new Set<string>(), since: this.#monotonic() };
    this.#byOwner.set(owner, expected);
    return expected;
  }
}
