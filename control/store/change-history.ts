import type { Change, Changes } from './store.ts';

export interface HistoryBounds {
  readonly maxChanges: number;
  /** Sum of the lengths of the values held, those before included. */
  readonly maxLength: number;
}

/** The newest changes, in order, in memory. Holds every change after `from`, and forgets from the old end. */
export class ChangeHistory {
  readonly #bounds: HistoryBounds;
  #changes: Change[] = [];
  #first = 0;
  #length = 0;
  #from: number;

  constructor(from: number, bounds: HistoryBounds) {
    this.#from = from;
    this.#bounds = bounds;
  }

  /** Every change with a greater revision is here. */
  get from(): number {
    return this.#from;
  }

  /** Takes all changes of one revision. */
  append(changes: readonly Change[]): void {
    for (const change of changes) {
      this.#changes.push(change);
      this.#length += lengthOf(change);
    }
    while (
      this.#changes.length - this.#first > this.#bounds.maxChanges ||
      (this.#length > this.#bounds.maxLength && this.#first < this.#changes.length)
    ) {
      this.forget(this.#changes[this.#first]?.revision ?? 0);
    }
  }

  /** Drops changes up to and including `revision`. */
  forget(revision: number): void {
    if (revision <= this.#from) return;
    for (let change = this.#changes[this.#first]; change !== undefined && change.revision <= revision; ) {
      this.#length -= lengthOf(change);
      this.#first += 1;
      change = this.#changes[this.#first];
    }
    this.#from = revision;
    if (this.#first * 2 > this.#changes.length) {
      this.#changes = this.#changes.slice(this.#first);
      this.#first = 0;
    }
  }

  /**
   * Changes after a revision (not before `from`) under a prefix, oldest first. Stops at the end of the revision in which
   * `limit` is reached; otherwise the batch reaches `present`, the store's revision.
   */
  since(after: number, prefix: string, limit: number, present: number): Changes {
    const found: Change[] = [];
    for (let at = this.#indexAfter(after); at < this.#changes.length; at++) {
      const change = this.#changes[at] as Change;
      const last = found.at(-1);
      if (last !== undefined && found.length >= limit && change.revision > last.revision) {
        return { changes: found, revision: last.revision };
      }
      if (change.key.startsWith(prefix)) found.push(change);
    }
    return { changes: found, revision: present };
  }

  /** All changes after a revision, newest first. */
  *backTo(after: number): Generator<Change> {
    for (let at = this.#changes.length - 1; at >= this.#first; at--) {
      const change = this.#changes[at] as Change;
      if (change.revision <= after) return;
      yield change;
    }
  }

  #indexAfter(revision: number): number {
    let low = this.#first;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#changes[middle] as Change).revision <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function lengthOf(change: Change): number {
  return change.value.length + (change.type === 'put' ? (change.previous?.value.length ?? 0) : 0);
}
