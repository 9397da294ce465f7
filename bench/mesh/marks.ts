/** Ports and weights by which clients know a change: each is larger than the one before of the same object. */
export const FIRST_PORT = 10_000;
export const FIRST_WEIGHT = 1000;

export function serviceName(index: number): string {
  return `s${index}`;
}

export function podName(index: number): string {
  return `p${index}`;
}

/** `<object> <mark>`: one change. */
export function changeKey(object: string, mark: number): string {
  return `${object} ${mark}`;
}

/** Wall-clock milliseconds with fractions: two processes of one machine compare them. */
export function preciseNow(): number {
  return performance.timeOrigin + performance.now();
}
