/** A request whose body is still coming, as its cluster sees it. */
export interface Upload {
  /** A place has become free: the upstream may be asked. */
  admitted(): void;
  /** It has to go, because another has come and there is no room for both. */
  displaced(): void;
}

/**
 * The places of requests whose bodies are still coming: as many as a cluster has for others, so that who is slow takes nothing from who
 * is quick. Where they are all taken, a newcomer waits: what has come of its body is kept, and the upstream is asked once it is whole. The oldest goes
 * first where even that is too much: who is quick does not stay long enough to be the oldest.
 */
export class UploadPlaces {
  /** Upstream not asked yet. Sets are in the order of coming. */
  readonly #waiting = new Set<Upload>();
  /** Upstream asked, with little to show for it: these make way. */
  readonly #movable = new Set<Upload>();
  readonly #settled = new Set<Upload>();
  /** As many as there were lately. */
  #places = 0;
  #isAdmitting = false;

  /** Those whose upstream has been asked. */
  get asked(): number {
    return this.#movable.size + this.#settled.size;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** `places`: how many may be asked, and how many wait. `cannot-wait`: its client may want a word of the upstream's before it goes on. */
  enter(upload: Upload, places: number, patience: 'may-wait' | 'cannot-wait'): 'asked' | 'waiting' | 'refused' {
    this.#places = places;
    if (this.asked < places) {
      this.#movable.add(upload);
      return 'asked';
    }
    if (patience === 'cannot-wait') return this.#takeOver(upload) ? 'asked' : 'refused';
    if (this.#waiting.size >= places) displaceOldest(this.#waiting);
    this.#waiting.add(upload);
    return 'waiting';
  }

  /** One that waits has so much to show that more cannot be kept: whether it has a place now, in place of one that has less if need be. */
  press(upload: Upload, places: number): boolean {
    this.#waiting.delete(upload);
    if (this.asked < places) this.#movable.add(upload);
    else if (!this.#takeOver(upload)) return false;
    return true;
  }

  /** It has shown more than a trickle, or its answer has begun: its place is its own. */
  settle(upload: Upload): void {
    if (this.#movable.delete(upload)) this.#settled.add(upload);
  }

  /** Its body is whole, or its request over. */
  leave(upload: Upload): void {
    if (this.#waiting.delete(upload)) return;
    if (!this.#movable.delete(upload) && !this.#settled.delete(upload)) return;
    if (this.#waiting.size > 0 && !this.#isAdmitting) this.#admit();
  }

  /** Who is let in may be gone again at once: a loop, so that a thousand of those do not nest. */
  #admit(): void {
    this.#isAdmitting = true;
    for (const next of this.#waiting) {
      if (this.asked >= this.#places) break;
      this.#waiting.delete(next);
      this.#movable.add(next);
      next.admitted();
    }
    this.#isAdmitting = false;
  }

  #takeOver(upload: Upload): boolean {
    if (!displaceOldest(this.#movable)) return false;
    this.#movable.add(upload);
    return true;
  }
}

function displaceOldest(uploads: Set<Upload>): boolean {
  const oldest = uploads.values().next().value;
  if (oldest === undefined) return false;
  // First, so that its leaving lets nobody in.
  uploads.delete(oldest);
  oldest.displaced();
  return true;
}
