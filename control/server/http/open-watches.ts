import { ApiError } from '../../../api/meta/api-error.ts';

/** Most watches at a time. Each holds a connection; informers have one a kind. */
const MAX_WATCHES = 4096;
const RETRY_AFTER_SECONDS = 5;

/** Every watch that is open, so that there are not too many and closing ends them all. */
export class OpenWatches {
  readonly #open = new Set<AbortController>();
  readonly #most: number;

  constructor(most = MAX_WATCHES) {
    this.#most = most;
  }

  /** Aborts when the server closes. Give it back with {@link end}. Throws ApiError 429 when there are too many. */
  begin(): AbortController {
    if (this.#open.size >= this.#most) {
      throw ApiError.tooManyRequests(`too many open watches: at most ${this.#most}`, RETRY_AFTER_SECONDS);
    }
    const watch = new AbortController();
    this.#open.add(watch);
    return watch;
  }

  end(watch: AbortController): void {
    watch.abort();
    this.#open.delete(watch);
  }

  get size(): number {
    return this.#open.size;
  }

  close(): void {
    for (const watch of this.#open) watch.abort();
  }
}
