import { openCLibrary } from '../../kit/c-library.ts';

// asm-generic/socket.h of Linux; the same on x64 and arm64.
const SOL_SOCKET = 1;
const SO_REUSEPORT = 15;
const INT_BYTES = 4;

/**
 * Lets other sockets be bound to the address of one that listens already, and does not say so: that of a proxy with a single worker
 * (socket(7), SO_REUSEPORT: all of an address must have it, and be one user's). Linux takes it at any time. False where it cannot be set.
 */
export function shareAddress(descriptors: readonly number[]): boolean {
  const library = openCLibrary({
    setsockopt: { arguments: ['int32', 'int32', 'int32', 'pointer', 'uint32'], return: 'int32' },
  });
  if (library === undefined) return false;
  const on = Buffer.alloc(INT_BYTES);
  on.writeInt32LE(1);
  return descriptors.every((fd) => library.functions.setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, on, INT_BYTES) === 0);
}
