/** Work that goes on beside a pod's turns: at most one of a name at a time. */
export class Jobs {
  readonly #running = new Map<string, Promise<void>>();
  readonly #onDone: () => void;
  readonly #onError: (name: string, error: unknown) => void;

  /** `onDone` is called after each job, `onError` before that for one that threw. */
  constructor(onDone: () => void, onError: (name: string, error: unknown) => void) {
    this.#onDone = onDone;
    this.#onError = onError;
  }

  has(name: string): boolean {
    return this.#running.has(name);
  }

  /** Begins the job, unless one of that name runs already. */
  start(name: string, body: () => Promise<void>): void {
    if (this.#running.has(name)) return;
    const run = this.#run(name, body);
    this.#running.set(name, run);
  }

  async #run(name: string, body: () => Promise<void>): Promise<void> {
    try {
      // A turn of its own: the caller's turn is over before the job begins.
      await Promise.resolve();
      await body();
    } catch (error) {
      this.#onError(name, error);
    }
    this.#running.delete(name);
    this.#onDone();
  }

  /** Resolves when none runs. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }
}
