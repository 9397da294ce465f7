import { type Random, randomInt, seededRandom } from '../../../kit/random.ts';

/** Chance for one case: the same seed draws the same case. Plain calls, so that 100,000 cases cost less than what they try. */
export class Draw {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** A whole number in [0, count). */
  below(count: number): number {
    return randomInt(this.#random, count);
  }

  /** Once in so many times. */
  oneIn(count: number): boolean {
    return this.below(count) === 0;
  }

  pick<Item>(items: readonly [Item, ...Item[]] | readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  /** Up to so many of what is drawn. */
  some<Item>(most: number, item: () => Item): Item[] {
    return Array.from({ length: this.below(most + 1) }, item);
  }

  /** Any bytes, as latin1: a piece of noise that was made once. */
  bytes(length: number): string {
    const at = this.below(NOISE.length - length + 1);
    return NOISE.slice(at, at + length);
  }
}

const NOISE_BYTES = 1 << 16;
const NOISE = noise();

function noise(): string {
  const random = seededRandom(0);
  let text = '';
  for (let at = 0; at < NOISE_BYTES; at++) text += String.fromCharCode(randomInt(random, 256));
  return text;
}
