import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

// sqlite.org/fileformat2.html, section 4: a header, then frames of one page each, every checksum going on from the one before.
const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC_LITTLE = 0x377f0682;
const MAGIC_BIG = 0x377f0683;

/**
 * What a log that no process has open is worth. SQLite itself reads it up to the first frame that is not sound and takes the rest
 * for a write that was cut short.
 *
 * sound: whatever is missing at its end was never acknowledged, or was cut off with the file's end.
 * damaged: what is not sound is followed by frames of a later commit. Those are written only when the one before is on disk, so
 * acknowledged writes would be lost without a word.
 */
export type LogState =
  | { readonly state: 'sound' }
  | { readonly state: 'damaged'; readonly offset: number; readonly what: string };

const SOUND: LogState = { state: 'sound' };

interface Sum {
  readonly first: number;
  readonly second: number;
}

/** Reads the log of a store file. No log is a sound one. */
export function checkLog(path: string): LogState {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return SOUND;
    throw error;
  }
  try {
    return checkFrames(file, fstatSync(file).size);
  } finally {
    closeSync(file);
  }
}

function checkFrames(file: number, size: number): LogState {
  if (size <= HEADER_BYTES) return SOUND;
  const header = read(file, 0, HEADER_BYTES);
  const magic = header.readUInt32BE(0);
  const little = magic === MAGIC_LITTLE;
  const pageBytes = header.readUInt32BE(8);
  const sum = addUp(header.subarray(0, 24), { first: 0, second: 0 }, little);
  if ((!little && magic !== MAGIC_BIG) || !isSum(sum, header, 24)) {
    return { state: 'damaged', offset: 0, what: 'its header is not sound' };
  }
  const frameBytes = FRAME_HEADER_BYTES + pageBytes;
  let before = sum;
  let broken: number | undefined;
  let commitSince = false;
  for (let offset = HEADER_BYTES; offset + frameBytes <= size; offset += frameBytes) {
    const frame = read(file, offset, frameBytes);
    // Frames of an earlier round through the file have other salts, and were copied to the store file before this one began.
    const ofThisRound = frame.compare(header, 16, 24, 8, 16) === 0;
    const stored = { first: frame.readUInt32BE(16), second: frame.readUInt32BE(20) };
    const head = addUp(frame.subarray(0, 8), before, little);
    const intact = ofThisRound && isSum(addUp(frame.subarray(FRAME_HEADER_BYTES), head, little), frame, 16);
    if (intact && commitSince && broken !== undefined) {
      return { state: 'damaged', offset: broken, what: 'later writes follow what is not sound' };
    }
    if (!intact) broken ??= offset;
    if (broken !== undefined && ofThisRound && frame.readUInt32BE(4) !== 0) commitSince = true;
    before = stored;
  }
  return SOUND;
}

function read(file: number, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  readSync(file, bytes, 0, length, offset);
  return bytes;
}

/** Section 4.2: Fibonacci-weighted sums of pairs of 32-bit words. */
function addUp(bytes: Buffer, { first, second }: Sum, little: boolean): Sum {
  for (let at = 0; at < bytes.length; at += 8) {
    first = (first + (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)) + second) >>> 0;
    second = (second + (little ? bytes.readUInt32LE(at + 4) : bytes.readUInt32BE(at + 4)) + first) >>> 0;
  }
  return { first, second };
}

/** Checksums themselves are big-endian, whatever the words. */
function isSum({ first, second }: Sum, bytes: Buffer, at: number): boolean {
  return bytes.readUInt32BE(at) === first && bytes.readUInt32BE(at + 4) === second;
}
