import { ApiError } from '../../../api/meta/api-error.ts';
import type { OpenWatches } from '../http/open-watches.ts';

/** Most streams of one user at a time: each is a process or a tunnel on a node. */
export const MAX_STREAMS_PER_USER = 128;
const RETRY_AFTER_SECONDS = 5;

/** exec, attach and port-forward that are open: counted with the watches, and by user. */
export class OpenStreams {
  readonly #watches: OpenWatches;
  readonly #byUser = new Map<string, number>();

  constructor(watches: OpenWatches) {
    this.#watches = watches;
  }

  /** Aborts when the server closes. `end` gives it back, once. Throws ApiError 429 when there are too many. */
  begin(user: string): { readonly signal: AbortSignal; readonly end: () => void } {
    const open = this.#byUser.get(user) ?? 0;
    if (open >= MAX_STREAMS_PER_USER) {
      const message = `too many open streams of user ${JSON.stringify(user)}: at most ${MAX_STREAMS_PER_USER}`;
      throw ApiError.tooManyRequests(message, RETRY_AFTER_SECONDS);
    }
    const watch = this.#watches.begin(user);
    this.#byUser.set(user, open + 1);
    let isOpen = true;
    return {
      signal: watch.signal,
      end: () => {
        if (!isOpen) return;
        isOpen = false;
        this.#watches.end(watch);
        const left = (this.#byUser.get(user) ?? 1) - 1;
        if (left === 0) this.#byUser.delete(user);
        else this.#byUser.set(user, left);
      },
    };
  }
}
