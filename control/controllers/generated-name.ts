import { safeEncode } from '../../kit/ids.ts';
import { type Random, randomInt } from '../../kit/random.ts';

/** k8s.io/apiserver/pkg/storage/names: the base is cut so that five characters fit into a DNS label. */
const SUFFIX_LENGTH = 5;
const BASE_MAX_LENGTH = 63 - SUFFIX_LENGTH;

/** 27^5 names are possible: so many in a row that are taken is a broken source of chance. */
const MAX_TRIES = 1000;

/** `base` with a random end, as the API server makes names from generateName, but none of `taken`. */
export function generatedName(base: string, taken: ReadonlySet<string>, random: Random): string {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const digits = Array.from({ length: SUFFIX_LENGTH }, () => randomInt(random, 27));
    const name = base.slice(0, BASE_MAX_LENGTH) + safeEncode(String.fromCodePoint(...digits));
    if (!taken.has(name)) return name;
  }
  throw new Error(`name from ${JSON.stringify(base)}: ${MAX_TRIES} in a row are taken`);
}
