import type { Change } from './store.ts';

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

  /** Changes after a revision, which is not before `from`, under a prefix, oldest first. */
  *since(after: number, prefix: string): Generator<Change> {
    for (let at = this.#indexAfter(after); at < this.#changes.length; at++) {
      const change = this.#changes[at] as Change;
      if (change.key.startsWith(prefix)) yield change;
    }
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

/** About what a change costs to hold: a delete shares its value with what was before. */
export function lengthOf(change: Change): number {
  return change.value.length + (change.type === 'put' ? (change.previous?.value.length ?? 0) : 0);
}
