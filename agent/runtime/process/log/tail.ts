import { closeSync, openSync, readSync } from 'node:fs';
import type { LogPart } from './log-files.ts';

const READ_BYTES = 64 * 1024;
const NEWLINE = 10;

/** The position at which the last `lines` lines begin, not before `from`. A last line without a newline counts. */
export function positionOfTail(parts: readonly LogPart[], lines: number, from: number): number {
  const last = parts.at(-1);
  if (lines === 0) return last === undefined ? 0 : last.position + last.sizeBytes;
  let newlines = 0;
  let isLastByte = true;
  for (const part of parts.toReversed()) {
    for (const { bytes, position } of backwards(part, from)) {
      for (let index = bytes.length - 1; index >= 0; index--) {
        const isNewline = bytes[index] === NEWLINE;
        // The newline that ends the last line begins no line after it.
        if (isLastByte && !isNewline) newlines = 1;
        isLastByte = false;
        if (!isNewline) continue;
        if (newlines === lines) return position + index + 1;
        newlines++;
      }
    }
  }
  return from;
}

function* backwards(part: LogPart, from: number): Generator<{ bytes: Uint8Array; position: number }> {
  const first = Math.max(0, from - part.position);
  if (first >= part.sizeBytes) return;
  const file = openSync(part.path, 'r');
  try {
    for (let end = part.sizeBytes; end > first; ) {
      const begin = Math.max(first, end - READ_BYTES);
      const bytes = Buffer.alloc(end - begin);
      const read = readSync(file, bytes, 0, bytes.length, begin);
      yield { bytes: bytes.subarray(0, read), position: part.position + begin };
      end = begin;
    }
  } finally {
    closeSync(file);
  }
}
