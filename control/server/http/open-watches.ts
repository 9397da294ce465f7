import { ApiError } from '../../../api/meta/api-error.ts';

/** Most watches at a time. Each holds a connection; informers have one a kind. */
const MAX_WATCHES = 4096;
const RETRY_AFTER_SECONDS = 5;

/** Most watches of one client: some hundred informers of a process for each kind there is. */
const MAX_WATCHES_PER_CLIENT = 1024;

/** Every watch that is open, so that there are not too many and closing ends them all. */
export class OpenWatches {
  readonly #open = new Map<AbortController, string>();
  readonly #byClient = new Map<string, number>();
  readonly #most: number;
  readonly #mostPerClient: number;

  constructor(most = MAX_WATCHES, mostPerClient = MAX_WATCHES_PER_CLIENT) {
    this.#most = most;
    this.#mostPerClient = mostPerClient;
  }

  /** Aborts when the server closes. Give it back with {@link end}. Throws ApiError 429 when there are too many. */
  begin(client: string): AbortController {
    if (this.#open.size >= this.#most) {
      throw ApiError.tooManyRequests(`too many open watches: at most ${this.#most}`, RETRY_AFTER_SECONDS);
    }
    const held = this.#byClient.get(client) ?? 0;
    if (held >= this.#mostPerClient) {
      throw ApiError.tooManyRequests(
        `too many open watches of ${JSON.stringify(client)}: at most ${this.#mostPerClient}; close some, or share one by an informer`,
        RETRY_AFTER_SECONDS,
      );
    }
    const watch = new AbortController();
    this.#open.set(watch, client);
    this.#byClient.set(client, held + 1);
    return watch;
  }

  end(watch: AbortController): void {
    watch.abort();
    const client = this.#open.get(watch);
    if (client === undefined) return;
    this.#open.delete(watch);
    const left = (this.#byClient.get(client) ?? 1) - 1;
    if (left > 0) this.#byClient.set(client, left);
    else this.#byClient.delete(client);
  }

  get size(): number {
    return this.#open.size;
  }

  close(): void {
    for (const watch of this.#open.keys()) watch.abort();
  }
}
