import { randomFillSync } from 'node:crypto';

// A call into the generator costs more than a whole request's parsing: bytes are drawn by the page.
const page = Buffer.allocUnsafeSlow(8192);
let used = page.length;

/** Hexadecimal digits from the system's generator; `bytes` at most 64. Ids only: never for keys. */
export function drawHex(bytes: number): string {
  if (used + bytes > page.length) {
    randomFillSync(page);
    used = 0;
  }
  used += bytes;
  return page.toString('hex', used - bytes, used);
}
