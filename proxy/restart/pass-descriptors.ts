import { openCLibrary } from '../../kit/c-library.ts';

/** A message with descriptors beside it (unix(7), SCM_RIGHTS). */
export interface Passed {
  readonly text: string;
  readonly descriptors: readonly number[];
}

export interface DescriptorPassing {
  /** False when the other side is gone or takes no more. */
  send(socket: number, message: Passed): boolean;
  /** Undefined when nothing has come yet, or nothing will. Descriptors are this process's then, to be closed by it. */
  receive(socket: number): Passed | undefined;
}

/** The kernel's limit is 253 (SCM_MAX_FD). */
export const MAX_DESCRIPTORS = 100;

// struct msghdr, struct iovec and struct cmsghdr of Linux with 64-bit pointers: recvmsg(2), cmsg(3).
const MSGHDR = { at: 0, iov: 16, iovCount: 24, control: 32, controlBytes: 40, flags: 48 } as const;
const IOVEC = { at: 56, length: 64 } as const;
const CONTROL_AT = 72;
const CMSG = { length: CONTROL_AT, level: CONTROL_AT + 8, type: CONTROL_AT + 12, data: CONTROL_AT + 16 } as const;
const CMSG_HEAD_BYTES = 16;
const CONTROL_BYTES = CMSG_HEAD_BYTES + 4 * MAX_DESCRIPTORS;
const TEXT_AT = CONTROL_AT + CONTROL_BYTES;
const MAX_TEXT_BYTES = 64 * 1024;

const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_CTRUNC = 0x8;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;

/** Node passes descriptors to its own children only, so sendmsg(2) and recvmsg(2) are called. Undefined where they cannot be. */
export function openDescriptorPassing(): DescriptorPassing | undefined {
  const call = { arguments: ['int32', 'pointer', 'int32'], return: 'int64' } as const;
  const library = openCLibrary({ sendmsg: call, recvmsg: call });
  if (library === undefined) return undefined;
  const block = Buffer.from(new ArrayBuffer(TEXT_AT + MAX_TEXT_BYTES));
  const address = library.addressOf(block.buffer);
  const prepare = (textBytes: number, controlBytes: number): void => {
    block.fill(0, 0, TEXT_AT);
    block.writeBigUInt64LE(address + BigInt(IOVEC.at), MSGHDR.iov);
    block.writeBigUInt64LE(1n, MSGHDR.iovCount);
    block.writeBigUInt64LE(address + BigInt(CONTROL_AT), MSGHDR.control);
    block.writeBigUInt64LE(BigInt(controlBytes), MSGHDR.controlBytes);
    block.writeBigUInt64LE(address + BigInt(TEXT_AT), IOVEC.at);
    block.writeBigUInt64LE(BigInt(textBytes), IOVEC.length);
  };
  return {
    send: (socket, { text, descriptors }) => {
      const bytes = Buffer.byteLength(text);
      if (bytes > MAX_TEXT_BYTES || descriptors.length > MAX_DESCRIPTORS) return false;
      prepare(bytes, descriptors.length === 0 ? 0 : aligned(CMSG_HEAD_BYTES + 4 * descriptors.length));
      block.write(text, TEXT_AT);
      block.writeBigUInt64LE(BigInt(CMSG_HEAD_BYTES + 4 * descriptors.length), CMSG.length);
      block.writeInt32LE(SOL_SOCKET, CMSG.level);
      block.writeInt32LE(SCM_RIGHTS, CMSG.type);
      descriptors.forEach((descriptor, at) => block.writeInt32LE(descriptor, CMSG.data + 4 * at));
      return Number(library.functions.sendmsg(socket, block, MSG_DONTWAIT | MSG_NOSIGNAL)) === bytes;
    },
    receive: (socket) => {
      prepare(MAX_TEXT_BYTES, CONTROL_BYTES);
      const bytes = Number(library.functions.recvmsg(socket, block, MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
      if (bytes <= 0 || (block.readInt32LE(MSGHDR.flags) & MSG_CTRUNC) !== 0) return undefined;
      return { text: block.toString('utf8', TEXT_AT, TEXT_AT + bytes), descriptors: received(block) };
    },
  };
}

function received(block: Buffer): readonly number[] {
  const isThere = Number(block.readBigUInt64LE(MSGHDR.controlBytes)) >= CMSG_HEAD_BYTES;
  if (!isThere || block.readInt32LE(CMSG.level) !== SOL_SOCKET || block.readInt32LE(CMSG.type) !== SCM_RIGHTS)
    return [];
  const count = (Number(block.readBigUInt64LE(CMSG.length)) - CMSG_HEAD_BYTES) / 4;
  return Array.from({ length: count }, (_, at) => block.readInt32LE(CMSG.data + 4 * at));
}

/** CMSG_SPACE. */
function aligned(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}
