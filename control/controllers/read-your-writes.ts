import type { KubeObject } from '../../api/kinds/kind.ts';

/**
 * Which of the objects that were written are still shown older by a cache. A decision from such a cache could do twice
 * what was done already. Resource versions of one store are numbers that rise (kubernetes KEP-5504).
 */
export class ReadYourWrites {
  readonly #written = new Map<string, number>();

  wrote({ metadata }: KubeObject): void {
    this.#written.set(metadata.uid, Number(metadata.resourceVersion));
  }

  /** Whether the cache shows the object as it was last written, or newer. */
  isCurrent({ metadata }: KubeObject): boolean {
    const written = this.#written.get(metadata.uid);
    if (written === undefined) return true;
    if (Number(metadata.resourceVersion) < written) return false;
    this.#written.delete(metadata.uid);
    return true;
  }

  /** The object is gone. */
  forget(uid: string): void {
    this.#written.delete(uid);
  }
}
