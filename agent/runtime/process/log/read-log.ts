import { closeSync, openSync, readSync } from 'node:fs';
import type { Clock } from '../../../../kit/clock.ts';
import type { LogOptions } from '../../runtime.ts';
import { LinePrinter } from './line-printer.ts';
import { offsetOfTime, timeOfOffset } from './line-times.ts';
import { type Growth, growthOf, type LogFiles, type LogPart } from './log-files.ts';
import { positionOfTail } from './tail.ts';

const READ_BYTES = 64 * 1024;
const FOLLOW_EVERY_MS = 100;

export interface LogSource {
  readonly files: LogFiles;
  /** Whether anything can still be written. */
  readonly isOpen: () => boolean;
}

/**
 * The log as the kubelet's containerLogs serves it, across rotated files too. Bytes as the program wrote them, unless
 * timestamps are wanted: then each line begins with the time at which the agent saw it, in RFC 3339.
 *
 * Every step finds its place anew by position: a rotation while the reader waits neither repeats nor loses anything.
 */
export async function* readLog(source: LogSource, options: LogOptions, clock: Clock): AsyncGenerator<Uint8Array> {
  const { files, isOpen } = source;
  files.observe(clock.now());
  const printer = new LinePrinter();
  const growth = new GrowthCache();
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  let position = startOf(files.parts(), options);
  const end = endOf(files);
  while (left > 0 && !options.signal.aborted) {
    const wasOpen = isOpen();
    const chunk = readAt(files.parts(), position, options.follow === true ? Number.POSITIVE_INFINITY : end);
    if (chunk === undefined) {
      if (options.follow !== true || !wasOpen) return;
      await clock.sleep(FOLLOW_EVERY_MS, options.signal).catch(() => undefined);
      files.observe(clock.now());
      continue;
    }
    position = chunk.position + chunk.bytes.length;
    const timeOf = (index: number): number => {
      const offset = chunk.position + index - chunk.part.position;
      return timeOfOffset(growth.of(chunk.part), offset, clock.now());
    };
    const printed = options.timestamps === true ? printer.print(chunk.bytes, timeOf) : chunk.bytes;
    const taken = printed.subarray(0, Math.min(printed.length, left));
    left -= taken.length;
    yield taken;
  }
}

/** The later of what `sinceMs` and what `tailLines` say. */
function startOf(parts: readonly LogPart[], { sinceMs, tailLines }: LogOptions): number {
  const first = parts[0]?.position ?? 0;
  const since = sinceMs === undefined ? first : positionOfTime(parts, sinceMs);
  return tailLines === undefined ? since : positionOfTail(parts, tailLines, since);
}

function positionOfTime(parts: readonly LogPart[], sinceMs: number): number {
  for (const part of parts) {
    const offset = offsetOfTime(growthOf(part), sinceMs);
    if (offset < part.sizeBytes) return part.position + offset;
  }
  const last = parts.at(-1);
  return last === undefined ? 0 : last.position + last.sizeBytes;
}

function endOf(files: LogFiles): number {
  const present = files.parts().at(-1);
  return present === undefined ? 0 : present.position + present.sizeBytes;
}

/** What is at `position`, or at the first place after it that is still there. Undefined at the end. */
function readAt(
  parts: readonly LogPart[],
  position: number,
  end: number,
): { part: LogPart; position: number; bytes: Uint8Array } | undefined {
  const part = parts.find((each) => each.position + each.sizeBytes > position);
  if (part === undefined) return undefined;
  const from = Math.max(position, part.position);
  const length = Math.min(READ_BYTES, part.position + part.sizeBytes - from, end - from);
  if (length <= 0) return undefined;
  const file = openSync(part.path, 'r');
  try {
    const bytes = Buffer.allocUnsafe(length);
    const read = readSync(file, bytes, 0, length, from - part.position);
    return read === 0 ? undefined : { part, position: from, bytes: bytes.subarray(0, read) };
  } finally {
    closeSync(file);
  }
}

/** The times of one part, read once for each size that it has. */
class GrowthCache {
  #part: LogPart | undefined;
  #growth: readonly Growth[] = [];

  of(part: LogPart): readonly Growth[] {
    if (this.#part?.position !== part.position || this.#part.sizeBytes !== part.sizeBytes) {
      this.#part = part;
      this.#growth = growthOf(part);
    }
    return this.#growth;
  }
}
