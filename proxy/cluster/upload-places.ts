import type { SharedCounts } from './shared-counts.ts';

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
  readonly #shared: SharedCounts | undefined;
  /** As many as there were lately. */
  #limit = 0;
  #isAdmitting = false;

  /** `shared`: what other workers have asked for takes places too. */
  constructor(shared?: SharedCounts) {
    this.#shared = shared;
  }

  /** Those of this worker whose upstream has been asked. */
  get asked(): number {
    return this.#movable.size + this.#settled.size;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * `limit`: how many may be asked, and in each worker how many wait. `cannot-wait`: its client may want a word of the upstream's before it
   * goes on.
   */
  enter(upload: Upload, limit: number, patience: 'may-wait' | 'cannot-wait'): 'asked' | 'waiting' | 'refused' {
    this.#limit = limit;
    // Another worker's place may have become free.
    if (this.#waiting.size > 0) this.#admit();
    if (this.#hasRoom()) {
      this.#ask(upload);
      return 'asked';
    }
    if (patience === 'cannot-wait') return this.#takeOver(upload) ? 'asked' : 'refused';
    if (this.#waiting.size >= limit) displaceOldest(this.#waiting);
    this.#waiting.add(upload);
    return 'waiting';
  }

  /** One that waits has so much to show that more cannot be kept: whether it has a place now, in place of one that has less if need be. */
  press(upload: Upload, limit: number): boolean {
    this.#limit = limit;
    this.#waiting.delete(upload);
    if (!this.#hasRoom()) return this.#takeOver(upload);
    this.#ask(upload);
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
    this.#shared?.setUploads(this.asked);
    if (this.#waiting.size > 0) this.#admit();
  }

  #hasRoom(): boolean {
    const elsewhere = this.#shared === undefined ? 0 : this.#shared.uploadsElsewhere;
    return this.asked + elsewhere < this.#limit;
  }

  #ask(upload: Upload): void {
    this.#movable.add(upload);
    this.#shared?.setUploads(this.asked);
  }

  /** Who is let in may be gone again at once: a loop, so that a thousand of those do not nest. */
  #admit(): void {
    if (this.#isAdmitting) return;
    this.#isAdmitting = true;
    for (const next of this.#waiting) {
      if (!this.#hasRoom()) break;
      this.#waiting.delete(next);
      this.#ask(next);
      next.admitted();
    }
    this.#isAdmitting = false;
  }

  #takeOver(upload: Upload): boolean {
    if (!displaceOldest(this.#movable)) return false;
    this.#ask(upload);
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
