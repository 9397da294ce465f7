import { randomFillSync } from 'node:crypto';

// Calls into the generator, and into the encoder, cost more than a whole request's parsing: digits are drawn by the page.
const page = Buffer.allocUnsafeSlow(16 * 1024);
let digits = '';
let used = 0;

/** Hexadecimal digits from the system's generator; `bytes` at most 64. Ids only: never for keys. */
export function drawHex(bytes: number): string {
  const count = 2 * bytes;
  if (used + count > digits.length) {
    digits = randomFillSync(page).toString('hex');
    used = 0;
  }
  used += count;
  return digits.slice(used - count, used);
}
