import type { TunnelEnd } from './tunnel-end.ts';

/** What one read brings at most (shared-read.ts). */
const PIECE_BYTES = 64 * 1024;
/** 4 MB: what a few dozen connections with large bodies have on their way at once. */
const KEPT = 64;
/** Up to here Node cuts copies from a pool of its own. */
const SMALL_BYTES = 2048;

const free: Buffer[] = [];

/**
 * Writes bytes whose memory is only lent. The copies' memory is used again once the socket has passed it on: allocated anew for each
 * piece of a large body it would be the collector's work, and late. False as `Socket.write`.
 */
export function writeCopy(socket: Pick<TunnelEnd, 'write'>, from: Buffer, start: number, end: number): boolean {
  const length = end - start;
  if (length <= SMALL_BYTES || length > PIECE_BYTES) return socket.write(Buffer.from(from.subarray(start, end)));
  const piece = free.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES);
  from.copy(piece, 0, start, end);
  return socket.write(piece.subarray(0, length), () => {
    if (free.length < KEPT) free.push(piece);
  });
}
