import type { KubeObject } from '../../../api/kinds/kind.ts';

/** Most objects kept decoded; past it the ones put in longest ago go first. */
const MAX_OBJECTS = 50_000;

interface Decoded {
  readonly revision: number;
  readonly object: KubeObject;
}

/**
 * The newest decoded form of each object, frozen and shared by every reader, so that a list or a hundred watches parse a
 * value once.
 */
export class DecodedObjects {
  readonly #byKey = new Map<string, Decoded>();

  /** The object at exactly this revision; made and kept unless a newer one is known. */
  at<T extends KubeObject>(key: string, revision: number, decode: () => T): T {
    const known = this.#byKey.get(key);
    if (known?.revision === revision) return known.object as T;
    const object = freeze(decode());
    if (known === undefined || known.revision < revision) this.#keep(key, { revision, object });
    return object;
  }

  forget(key: string): void {
    this.#byKey.delete(key);
  }

  #keep(key: string, decoded: Decoded): void {
    this.#byKey.set(key, decoded);
    if (this.#byKey.size <= MAX_OBJECTS) return;
    const [oldest] = this.#byKey.keys();
    if (oldest !== undefined) this.#byKey.delete(oldest);
  }
}

/** Freezes all the way down. What is frozen already is taken as frozen below, so unchanged parts cost nothing. */
function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const child of Object.values(value)) freeze(child);
  return value;
}
