import { closeSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { release } from 'node:os';
import { openCLibrary } from '../../../kit/c-library.ts';

/** The process that connected, as the kernel knows it. */
export interface PeerProcess {
  readonly pid: number;
  /** Whether it is certain that `pid` still names the process that connected. */
  stillIs(): boolean;
  close(): void;
}

/** Asks the kernel who connected to a Unix socket. Undefined when that process has ended, or cannot be known. */
export type PeerReader = (socket: Socket) => PeerProcess | undefined;

// asm-generic/socket.h: arm64 and x64 have these numbers. struct ucred: pid, uid, gid.
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const UCRED_BYTES = 12;
/** Linux 6.5. A pidfd names a process, not a number that another may get. */
const SO_PEERPIDFD = 77;
const PIDFD_SINCE = [6, 5] as const;
const INT_BYTES = 4;

/**
 * Node tells nothing of a Unix socket's peer, so getsockopt(2) of the C library is called through node:ffi, which Node 26 brings.
 * Undefined where there is none: no Linux, or an older Node.
 */
export function openPeerReader(): PeerReader | undefined {
  const library = openCLibrary({
    getsockopt: { arguments: ['int32', 'int32', 'int32', 'pointer', 'pointer'], return: 'int32' },
  });
  if (library === undefined) return undefined;
  const option = (fd: number, name: number, length: number): Buffer | undefined => {
    const value = Buffer.alloc(length);
    const size = Buffer.alloc(INT_BYTES);
    size.writeInt32LE(length);
    return library.functions.getsockopt(fd, SOL_SOCKET, name, value, size) === 0 ? value : undefined;
  };
  const hasPidfd = isAtLeast(release(), PIDFD_SINCE);
  return (socket) => {
    const fd = descriptorOf(socket);
    const pid = fd === undefined ? undefined : option(fd, SO_PEERCRED, UCRED_BYTES)?.readInt32LE(0);
    // 0: the process is in a pid namespace that cannot be seen from here.
    if (fd === undefined || pid === undefined || pid <= 0) return undefined;
    if (!hasPidfd) return byStartTime(pid);
    const pidfd = option(fd, SO_PEERPIDFD, INT_BYTES)?.readInt32LE(0);
    return pidfd === undefined ? undefined : byPidfd(pid, pidfd);
  };
}

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map(Number.parseFloat);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}

/** Node has no public way to a socket's descriptor. */
function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: number } | null };
  return handle?.fd !== undefined && handle.fd >= 0 ? handle.fd : undefined;
}

/** proc_pid_fdinfo(5): a pidfd's Pid is -1 once its process has ended and has been waited for. */
function byPidfd(pid: number, pidfd: number): PeerProcess {
  const stillIs = (): boolean => {
    const info = readQuietly(`/proc/self/fdinfo/${pidfd}`);
    return new RegExp(`^Pid:\\s+${pid}$`, 'm').test(info);
  };
  return { pid, stillIs, close: () => closeSync(pidfd) };
}

/** Before Linux 6.5: whoever had the number when we looked first must have it still. */
function byStartTime(pid: number): PeerProcess {
  const first = startTicks(pid);
  return { pid, stillIs: () => first !== '' && startTicks(pid) === first, close: () => undefined };
}

/** Field 22 of proc_pid_stat(5), counted from behind the command name. */
function startTicks(pid: number): string {
  const stat = readQuietly(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
