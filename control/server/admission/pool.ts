import { type Random, randomInt } from '../../../kit/random.ts';
import { ipv4Number, ipv4Text } from './ipv4.ts';

/** A range of things that are given out, each to one object at a time. */
export interface Pool {
  /** Where its claims are in the store: `/claims/<name>/<item>`. */
  readonly name: string;
  readonly size: number;
  readonly item: (index: number) => string;
  /** The index of an item that belongs to the pool. */
  readonly indexOf: (item: string) => number | undefined;
}

/** The first and last addresses are no Service's; nor are the lowest ones, left for what the cluster itself may want. */
const SERVICE_ADDRESSES_RESERVED = 16;

/** 127.96.0.0/12 (docs/architecture.md, "Addresses"). */
export const serviceAddresses = addressPool('service-addresses', {
  base: '127.96.0.0',
  first: SERVICE_ADDRESSES_RESERVED,
  end: 2 ** 20 - 1,
  step: 1,
  suffix: '',
});

/** The /22 ranges of 127.64.0.0/12: 1,024 pod addresses a node, 1,024 nodes. */
export const podRanges = addressPool('pod-ranges', {
  base: '127.64.0.0',
  first: 0,
  end: 2 ** 10,
  step: 2 ** 10,
  suffix: '/22',
});

const OUTBOUND_FIRST = 20_000;

/** Ports that every sidecar listens on for one port of one Service: 20000 to 27999. */
export const outboundPorts: Pool = {
  name: 'outbound-ports',
  size: 8000,
  item: (index) => String(OUTBOUND_FIRST + index),
  indexOf: (item) => within(Number(item) - OUTBOUND_FIRST, 8000),
};

/** A random item that is not taken; undefined when all are. Random, so that what was given back rests for a while. */
export function pickFree(pool: Pool, taken: ReadonlySet<string>, random: Random): string | undefined {
  if (taken.size >= pool.size) return undefined;
  const start = randomInt(random, pool.size);
  for (let step = 0; step < pool.size; step++) {
    const item = pool.item((start + step) % pool.size);
    if (!taken.has(item)) return item;
  }
  return undefined;
}

interface AddressRange {
  readonly base: string;
  readonly first: number;
  /** One past the last, in steps from the base. */
  readonly end: number;
  readonly step: number;
  readonly suffix: string;
}

function addressPool(name: string, { base, first, end, step, suffix }: AddressRange): Pool {
  const start = (ipv4Number(base) ?? 0) + first * step;
  const size = end - first;
  return {
    name,
    size,
    item: (index) => ipv4Text(start + index * step) + suffix,
    indexOf: (item) => {
      const number = item.endsWith(suffix) ? ipv4Number(item.slice(0, item.length - suffix.length)) : undefined;
      return number === undefined ? undefined : within((number - start) / step, size);
    },
  };
}

function within(index: number, size: number): number | undefined {
  return Number.isInteger(index) && index >= 0 && index < size ? index : undefined;
}
