/** A resource as it came, and what it means here. */
export interface Stored<T> {
  readonly bytes: Uint8Array;
  readonly value: T;
}

export interface Refusal {
  readonly name: string;
  readonly message: string;
}

/**
 * The resources of one type that are in force. One that cannot be understood leaves what was there under its name; one
 * that comes again unchanged stays the same object.
 */
export class ResourceStore<T> {
  readonly #decode: (bytes: Uint8Array) => readonly [name: string, value: T];
  #stored = new Map<string, Stored<T>>();

  constructor(decode: (bytes: Uint8Array) => readonly [name: string, value: T]) {
    this.#decode = decode;
  }

  get stored(): ReadonlyMap<string, Stored<T>> {
    return this.#stored;
  }

  get(name: string): T | undefined {
    return this.#stored.get(name)?.value;
  }

  /** `whole`: what is not among them is gone. Otherwise they are added to what is there. */
  take(resources: readonly Uint8Array[], extent: 'whole' | 'part'): readonly Refusal[] {
    const refusals: Refusal[] = [];
    const next = extent === 'whole' ? new Map<string, Stored<T>>() : this.#stored;
    const seen = new Set<string>();
    for (const [at, bytes] of resources.entries()) {
      const result = this.#read(bytes, at);
      if (!result.ok) {
        refusals.push(result.refusal);
        const old = this.#stored.get(result.refusal.name);
        if (old !== undefined) next.set(result.refusal.name, old);
        continue;
      }
      if (seen.has(result.name)) refusals.push({ name: result.name, message: 'comes twice in one response' });
      seen.add(result.name);
      next.set(result.name, result.stored);
    }
    this.#stored = next;
    return refusals;
  }

  /** Forgets what the control plane says is gone. */
  remove(names: readonly string[]): void {
    for (const name of names) this.#stored.delete(name);
  }

  /** Forgets what nothing asks for any more. */
  keep(names: ReadonlySet<string>): void {
    for (const name of this.#stored.keys()) if (!names.has(name)) this.#stored.delete(name);
  }

  #read(bytes: Uint8Array, at: number): ReadResult<T> {
    try {
      const [name, value] = this.#decode(bytes);
      const old = this.#stored.get(name);
      const same = old !== undefined && Buffer.compare(old.bytes, bytes) === 0;
      return { ok: true, name, stored: same ? old : { bytes, value } };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { ok: false, refusal: { name: nameIn(bytes) ?? `#${at}`, message } };
    }
  }
}

type ReadResult<T> =
  | { readonly ok: true; readonly name: string; readonly stored: Stored<T> }
  | { readonly ok: false; readonly refusal: Refusal };

/** All four types have their name as field 1, a string, mostly shorter than 128 bytes: readable where the rest is not. */
function nameIn(bytes: Uint8Array): string | undefined {
  const length = bytes[1] ?? 0;
  if (bytes[0] !== 0x0a || length === 0 || length > 127 || bytes.length < 2 + length) return undefined;
  return new TextDecoder().decode(bytes.subarray(2, 2 + length));
}
