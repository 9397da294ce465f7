/** The door to chance: a number in [0, 1). Deciders take one as an argument. */
export type Random = () => number;

/** For jitter, picking and sampling. Not for secrets: those come from node:crypto in the room that needs them. */
export function systemRandom(): Random {
  return Math.random;
}

/** Repeatable chance: mulberry32, a 32-bit generator (T. Ettinger, public domain). Same seed, same sequence. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A whole number in [0, below). */
export function randomInt(random: Random, below: number): number {
  return Math.floor(random() * below);
}
