import {
  appendFileSync,
  closeSync,
  copyFileSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';

/** The kubelet's containerLogMaxSize and containerLogMaxFiles (KubeletConfiguration v1beta1), the present file included. */
export interface LogLimits {
  readonly maxBytes: number;
  readonly maxFiles: number;
}

const LOG_LIMITS: LogLimits = { maxBytes: 10 * 1024 * 1024, maxFiles: 5 };

/** "At this time the file had grown to this size": what tells lines' times, as the program's bytes carry none. */
export interface Growth {
  readonly sizeBytes: number;
  readonly atMs: number;
}

/** One file of a log. */
export interface LogPart {
  readonly path: string;
  /** Of its first byte. Positions count all bytes of the log since this object was made, so rotation does not move them. */
  readonly position: number;
  readonly sizeBytes: number;
}

const COPY_BYTES = 256 * 1024;

/**
 * A container's log: `log`, which the program itself appends to, the rotated `log.1` (newest) to `log.4`, and beside each
 * a `.times` file of {@link Growth}. Rotation copies and truncates, because the program holds the file open and outlives
 * us. What it writes between the last copied byte and the truncation is lost: some microseconds' worth in 10 MiB.
 */
export class LogFiles {
  readonly #path: string;
  readonly #limits: LogLimits;
  #seenBytes: number;
  #rotatedBytes = 0;

  constructor(path: string, limits: LogLimits = LOG_LIMITS) {
    this.#path = path;
    this.#limits = limits;
    this.#seenBytes = this.#lastGrowth();
  }

  /** Notes growth and rotates when the file is full. True when something was new. */
  observe(nowMs: number): boolean {
    const sizeBytes = sizeOf(this.#path);
    if (sizeBytes === this.#seenBytes) return false;
    if (sizeBytes > this.#seenBytes) {
      // After time away the file's own time is nearer the truth than now.
      const atMs = Math.min(nowMs, Math.ceil(modifiedAt(this.#path) ?? nowMs));
      appendFileSync(timesOf(this.#path), `${sizeBytes} ${atMs}\n`);
    }
    this.#seenBytes = sizeBytes;
    if (sizeBytes >= this.#limits.maxBytes) this.#rotate();
    return true;
  }

  /** The log as it is now, oldest part first, the present file last even when it is empty. */
  parts(): readonly LogPart[] {
    const parts: LogPart[] = [{ path: this.#path, position: this.#rotatedBytes, sizeBytes: sizeOf(this.#path) }];
    for (let index = 1; index < this.#limits.maxFiles; index++) {
      const path = this.#rotated(index);
      const sizeBytes = sizeOf(path);
      const position = (parts[0]?.position ?? 0) - sizeBytes;
      if (sizeBytes > 0) parts.unshift({ path, position, sizeBytes });
    }
    return parts;
  }

  /** The present file's path, or that of the rotated part `index` files back. */
  #rotated(index: number): string {
    return index === 0 ? this.#path : `${this.#path}.${index}`;
  }

  #rotate(): void {
    rmSync(this.#rotated(this.#limits.maxFiles - 1), { force: true });
    rmSync(timesOf(this.#rotated(this.#limits.maxFiles - 1)), { force: true });
    for (let index = this.#limits.maxFiles - 2; index >= 1; index--) {
      renameIfPresent(this.#rotated(index), this.#rotated(index + 1));
      renameIfPresent(timesOf(this.#rotated(index)), timesOf(this.#rotated(index + 1)));
    }
    if (this.#limits.maxFiles > 1) copyFileSync(this.#path, this.#rotated(1));
    const copied = this.#limits.maxFiles > 1 ? appendRest(this.#path, this.#rotated(1)) : sizeOf(this.#path);
    truncateSync(this.#path, 0);
    if (this.#limits.maxFiles > 1) renameIfPresent(timesOf(this.#path), timesOf(this.#rotated(1)));
    else rmSync(timesOf(this.#path), { force: true });
    this.#rotatedBytes += copied;
    this.#seenBytes = 0;
  }

  #lastGrowth(): number {
    return readGrowth(timesOf(this.#path)).at(-1)?.sizeBytes ?? 0;
  }
}

function timesOf(path: string): string {
  return `${path}.times`;
}

/** Appends what `from` has beyond the size of `to`, until there is nothing more; the size then. */
function appendRest(from: string, to: string): number {
  const source = openSync(from, 'r');
  const target = openSync(to, 'a');
  try {
    const buffer = Buffer.allocUnsafe(COPY_BYTES);
    let size = fstatSync(target).size;
    for (;;) {
      const read = readSync(source, buffer, 0, buffer.length, size);
      if (read === 0) return size;
      writeSync(target, buffer, 0, read);
      size += read;
    }
  } finally {
    closeSync(source);
    closeSync(target);
  }
}

/** What is known of the times of a part's bytes. */
export function growthOf(part: LogPart): readonly Growth[] {
  return readGrowth(timesOf(part.path));
}

function readGrowth(path: string): readonly Growth[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  return text
    .split('\n')
    .filter((line) => /^\d+ \d+$/.test(line))
    .map((line) => {
      const [sizeBytes = 0, atMs = 0] = line.split(' ').map(Number);
      return { sizeBytes, atMs };
    });
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}

function modifiedAt(path: string): number | undefined {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return undefined;
  }
}

function renameIfPresent(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
