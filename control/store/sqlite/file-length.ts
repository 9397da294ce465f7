import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const HEADER_BYTES = 100;

/**
 * How many bytes a SQLite file lacks of what its header says (sqlite.org/fileformat2.html, 1.3): 0 when it is whole, or says nothing
 * that can be held against it. SQLite itself would read what is missing of the last page as zeros. Not for a file with a log, which may
 * hold the rest, nor for one that this process has open: closing it would drop its locks.
 */
export function missingBytes(path: string): number {
  const file = openSync(path, 'r');
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    if (readSync(file, header, 0, HEADER_BYTES, 0) < HEADER_BYTES) return HEADER_BYTES - fstatSync(file).size;
    // The size in the header counts only when the last change was made by a writer that keeps it.
    if (header.readUInt32BE(24) !== header.readUInt32BE(92)) return 0;
    const pageBytes = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16);
    return Math.max(0, header.readUInt32BE(28) * pageBytes - fstatSync(file).size);
  } finally {
    closeSync(file);
  }
}
