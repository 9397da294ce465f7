export interface Item {
  readonly product: string;
  readonly quantity: number;
}

const MAX_CARTS = 10_000;
const MAX_PRODUCTS = 50;
const MAX_QUANTITY = 99;

/** Carts in memory, by session. When there are too many, the one that was touched longest ago goes. */
export class Carts {
  readonly #carts = new Map<string, Map<string, number>>();

  items(session: string): readonly Item[] {
    return [...(this.#carts.get(session) ?? [])].map(([product, quantity]) => ({ product, quantity }));
  }

  /** Adds that many; below one of them, the product is taken out. */
  add(session: string, product: string, quantity: number): void {
    const cart = this.#touch(session);
    const sum = Math.min(MAX_QUANTITY, (cart.get(product) ?? 0) + quantity);
    if (sum < 1) cart.delete(product);
    else if (cart.has(product) || cart.size < MAX_PRODUCTS) cart.set(product, sum);
  }

  clear(session: string): void {
    this.#carts.delete(session);
  }

  #touch(session: string): Map<string, number> {
    const cart = this.#carts.get(session) ?? new Map<string, number>();
    this.#carts.delete(session);
    this.#carts.set(session, cart);
    const [oldest] = this.#carts.keys();
    if (this.#carts.size > MAX_CARTS && oldest !== undefined) this.#carts.delete(oldest);
    return cart;
  }
}
