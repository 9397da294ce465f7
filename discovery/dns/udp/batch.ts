import { openCLibrary } from '../../../kit/c-library.ts';
import { answerBytes, BATCH, clearAskers, layOutMemory, queryBytes, type Slot, setAnswerBytes } from './memory.ts';

/** Reads many datagrams of a socket with one system call, and sends their answers with another. */
export interface Batch {
  readonly slots: readonly Slot[];
  /** Puts what waits on the socket into the slots, from the first on, and gives how many came. Never waits. */
  readonly receive: (descriptor: number) => number;
  /** How long the question in a slot is. */
  readonly queryBytes: (slot: Slot) => number;
  /** How long the answer is that was written into a slot. */
  readonly setAnswerBytes: (slot: Slot, length: number) => void;
  /** Sends the answers of the slots [from, to). `failed` is told of each that the system did not take. Never waits. */
  readonly send: (descriptor: number, from: number, to: number, failed: (slot: Slot, length: number) => void) => void;
}

/** Of Linux, bits/socket.h. */
const MSG_DONTWAIT = 0x40;

/** Undefined where the system calls cannot be had. */
export function openBatch(): Batch | undefined {
  const library = openCLibrary({
    recvmmsg: { arguments: ['int32', 'pointer', 'uint32', 'int32', 'pointer'], return: 'int32' },
    sendmmsg: { arguments: ['int32', 'pointer', 'uint32', 'int32'], return: 'int32' },
  });
  if (library === undefined) return undefined;
  const memory = layOutMemory(library.addressOf);
  const { slots, receiveHeaders, sendHeaders } = memory;
  let used = 0;
  return {
    slots,
    receive: (descriptor) => {
      clearAskers(memory, used);
      used = Math.max(0, library.functions.recvmmsg(descriptor, receiveHeaders, BATCH, MSG_DONTWAIT, null));
      return used;
    },
    queryBytes: ({ at }) => queryBytes(memory, at),
    setAnswerBytes: ({ at }, length) => setAnswerBytes(memory, at, length),
    send: (descriptor, from, to, failed) => {
      const end = Math.min(to, used);
      for (let at = from; at < end; ) {
        // It stops before the first that cannot be sent, and fails when there is none before that.
        const sent = library.functions.sendmmsg(descriptor, sendHeaders[at] ?? null, end - at, MSG_DONTWAIT);
        const slot = slots[at];
        if (sent <= 0 && slot !== undefined) failed(slot, answerBytes(memory, at));
        at += Math.max(1, sent);
      }
    },
  };
}
