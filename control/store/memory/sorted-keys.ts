/** A set of keys in code-unit order. Adding and removing move memory, which for a hundred thousand keys takes microseconds. */
export class SortedKeys {
  readonly #keys: string[] = [];

  add(key: string): void {
    const at = this.#indexOf(key);
    if (this.#keys[at] !== key) this.#keys.splice(at, 0, key);
  }

  delete(key: string): void {
    const at = this.#indexOf(key);
    if (this.#keys[at] === key) this.#keys.splice(at, 1);
  }

  /** Keys under a prefix, those after `after` only. */
  range(prefix: string, after: string): string[] {
    let at = this.#indexOf(after < prefix ? prefix : after);
    if (this.#keys[at] === after) at += 1;
    const found: string[] = [];
    for (let key = this.#keys[at]; key?.startsWith(prefix) === true; key = this.#keys[at]) {
      found.push(key);
      at += 1;
    }
    return found;
  }

  /** Where the key is, or would be. */
  #indexOf(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
