interface Entry {
  readonly inputs: readonly unknown[];
  readonly output: unknown;
}

/**
 * Remembers what was made of which inputs, so that a pass over the world makes anew only what changed, and what did not is
 * the very same object. Inputs are compared by identity (text and numbers by value): give a function all it reads.
 */
export class Memo {
  #entries = new Map<string, Entry>();
  #asked = new Map<string, Entry>();
  readonly #onFailure: (key: string, error: unknown) => void;

  /** `onFailure` hears of what {@link attempt} could not make, once for the same inputs. */
  constructor(onFailure: (key: string, error: unknown) => void = () => {}) {
    this.#onFailure = onFailure;
  }

  take<T>(key: string, inputs: readonly unknown[], make: () => T): T {
    const known = this.#entries.get(key);
    const entry = known !== undefined && sameInputs(known.inputs, inputs) ? known : { inputs, output: make() };
    this.#entries.set(key, entry);
    this.#asked.set(key, entry);
    return entry.output as T;
  }

  /**
   * As `take`, for what comes of one object and must not take the others down: when it cannot be made, what was made last stays, and what
   * has never been made is `fallback`.
   */
  attempt<T>(key: string, inputs: readonly unknown[], make: () => T, fallback: T): T {
    try {
      return this.take(key, inputs, make);
    } catch (error) {
      this.#onFailure(key, error);
      const last = this.#entries.get(key);
      return this.take(key, inputs, () => (last === undefined ? fallback : (last.output as T)));
    }
  }

  /** Ends a pass: forgets what was not asked for since the last. */
  sweep(): void {
    this.#entries = this.#asked;
    this.#asked = new Map();
  }
}

function sameInputs(left: readonly unknown[], right: readonly unknown[]): boolean {
  return left.length === right.length && left.every((value, at) => Object.is(value, right[at]));
}
