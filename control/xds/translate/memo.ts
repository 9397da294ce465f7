interface Entry {
  readonly inputs: readonly unknown[];
  readonly output: unknown;
  /** The pass in which it was asked for last. */
  pass: number;
}

// What is made on demand may not be asked for in each pass: proxies are told in slices, and passes go on meanwhile.
const KEPT_PASSES = 16;

/**
 * Remembers what was made of which inputs, so that a pass over the world makes anew only what changed, and what did not is
 * the very same object. Inputs are compared by identity (text and numbers by value): give a function all it reads.
 */
export class Memo {
  readonly #entries = new Map<string, Entry>();
  readonly #parts = new Map<string, Memo>();
  readonly #shared = new Map<string, WeakRef<WeakKey>>();
  readonly #onFailure: (key: string, error: unknown) => void;
  #pass = 0;

  /** `onFailure` hears of what {@link attempt} could not make, once for the same inputs. */
  constructor(onFailure: (key: string, error: unknown) => void = () => {}) {
    this.#onFailure = onFailure;
  }

  /** `same`: whether what is made anew says what the one before said; then that one stays, and what was made of it. */
  take<T>(
    key: string,
    inputs: readonly unknown[],
    make: () => T,
    same: (before: T, after: T) => boolean = () => false,
  ): T {
    const known = this.#entries.get(key);
    if (known !== undefined && sameInputs(known.inputs, inputs)) {
      known.pass = this.#pass;
      return known.output as T;
    }
    const made = make();
    const output = known !== undefined && same(known.output as T, made) ? (known.output as T) : made;
    this.#entries.set(key, { inputs, output, pass: this.#pass });
    return output;
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

  /**
   * A memo of its own for one thing of many that are asked for at any time, such as one pod's sidecar: nothing of it is forgotten, however
   * many passes go by, until {@link retain} says that the thing is no more. Its keys must be few.
   */
  part(name: string): Memo {
    let part = this.#parts.get(name);
    if (part === undefined) {
      part = new Memo(this.#onFailure);
      this.#parts.set(name, part);
    }
    return part;
  }

  /** What follows from its key alone: one thing for all that ask for it, as long as one of them keeps it. */
  shared<T extends WeakKey>(key: string, make: () => T): T {
    const known = this.#shared.get(key)?.deref();
    if (known !== undefined) return known as T;
    const made = make();
    this.#shared.set(key, new WeakRef(made));
    return made;
  }

  /** Forgets the parts of things that are no more. */
  retain(isThere: (name: string) => boolean): void {
    for (const name of this.#parts.keys()) if (!isThere(name)) this.#parts.delete(name);
  }

  /** Ends a pass: forgets what was not asked for in the last {@link KEPT_PASSES}. */
  sweep(): void {
    this.#pass += 1;
    for (const [key, { pass }] of this.#entries) if (this.#pass - pass > KEPT_PASSES) this.#entries.delete(key);
    if (this.#pass % KEPT_PASSES !== 0) return;
    for (const [key, ref] of this.#shared) if (ref.deref() === undefined) this.#shared.delete(key);
  }
}

function sameInputs(left: readonly unknown[], right: readonly unknown[]): boolean {
  if (left.length !== right.length) return false;
  for (let at = 0; at < left.length; at++) if (!Object.is(left[at], right[at])) return false;
  return true;
}
