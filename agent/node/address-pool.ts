/** The addresses of a range such as `127.64.4.0/22`, less its first and last, which tools take for network and broadcast. */
export function addressesOf(cidr: string): { readonly count: number; readonly at: (index: number) => string } {
  const [, base = '', bits = ''] = /^(\d+\.\d+\.\d+\.\d+)\/(\d+)$/.exec(cidr) ?? [];
  const size = 2 ** (32 - Number(bits));
  if (base === '' || !(size >= 4)) throw new Error(`pod range "${cidr}": not an IPv4 range with room for pods`);
  const start = numberOf(base) - (numberOf(base) % size);
  return { count: size - 2, at: (index) => textOf(start + 1 + index) };
}

/**
 * The next free address after `last`, round the range: an address that was given back rests as long as it can, so that
 * nobody's kept connection finds another pod at it. Undefined when none is free.
 */
export function nextAddress(cidr: string, taken: ReadonlySet<string>, last: string | undefined): string | undefined {
  const { count, at } = addressesOf(cidr);
  const first = last === undefined ? 0 : indexAfter(cidr, last);
  for (let step = 0; step < count; step++) {
    const address = at((first + step) % count);
    if (!taken.has(address)) return address;
  }
  return undefined;
}

function indexAfter(cidr: string, address: string): number {
  const { count, at } = addressesOf(cidr);
  const index = numberOf(address) - numberOf(at(0)) + 1;
  return index >= 0 && index < count ? index : 0;
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function textOf(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
