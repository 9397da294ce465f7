import { MAX_UDP_BYTES } from '../responder.ts';

/** Datagrams of one system call. More make it hardly cheaper for each, and hold the event loop longer. */
export const BATCH = 32;

/** No datagram is larger (its length has 16 bits), so none is ever cut. A page of it is there once something was written to it. */
const QUERY_BYTES = 65_536;
/** Slots that lay a power of two apart would share a few lines of the processor's cache. */
const QUERY_STRIDE = QUERY_BYTES + 320;
/** A struct sockaddr_in has 16 bytes, a struct sockaddr_in6 28. */
const NAME_BYTES = 32;

// Linux with 64-bit pointers, glibc and musl alike, as offsets in bytes. struct mmsghdr: a struct msghdr, then what was received.
const HEADER_BYTES = 64;
const NAME_POINTER = 0;
const NAME_LENGTH = 8;
const VECTOR_POINTER = 16;
const VECTOR_COUNT = 24;
const RECEIVED_LENGTH = 56;
// struct iovec
const VECTOR_BYTES = 16;
const VECTOR_BASE = 0;
const VECTOR_LENGTH = 8;

// Each part begins where the one before it ends; all are multiples of eight bytes.
const RECEIVE_HEADERS = 0;
const SEND_HEADERS = RECEIVE_HEADERS + BATCH * HEADER_BYTES;
const RECEIVE_VECTORS = SEND_HEADERS + BATCH * HEADER_BYTES;
const SEND_VECTORS = RECEIVE_VECTORS + BATCH * VECTOR_BYTES;
const NAMES = SEND_VECTORS + BATCH * VECTOR_BYTES;
const ANSWERS = NAMES + BATCH * NAME_BYTES;
const QUERIES = ANSWERS + BATCH * MAX_UDP_BYTES;
const TOTAL_BYTES = QUERIES + BATCH * QUERY_STRIDE;

/** Room for a question, who asked it, and its answer, which goes back to there. */
export interface Slot {
  readonly at: number;
  /** Only the first {@link queryBytes} of it are the question. */
  readonly query: Buffer;
  /** Only the first that {@link setAnswerBytes} was told of are sent. */
  readonly answer: Buffer;
  /** A struct sockaddr_in or sockaddr_in6. */
  readonly asker: Buffer;
}

/**
 * Room for a batch of datagrams, as recvmmsg(2) and sendmmsg(2) take it. All lengths that the system is given are constants of this
 * file, or no greater than one.
 */
export interface DatagramMemory {
  readonly slots: readonly Slot[];
  /** The address of the headers for recvmmsg. */
  readonly receiveHeaders: bigint;
  /** The addresses of the headers for sendmmsg, from each slot on. */
  readonly sendHeaders: readonly bigint[];
  /** All of it in 32-bit words, of this machine's byte order. Keeps the memory reachable. */
  readonly words: Uint32Array;
}

/** `addressOf` tells where a buffer is, for as long as it is reachable. */
export function layOutMemory(addressOf: (memory: ArrayBuffer) => bigint): DatagramMemory {
  const memory = new ArrayBuffer(TOTAL_BYTES);
  const base = addressOf(memory);
  const view = new DataView(memory);
  for (let slot = 0; slot < BATCH; slot++) {
    const name = NAMES + slot * NAME_BYTES;
    const parts = [
      [RECEIVE_HEADERS, RECEIVE_VECTORS, QUERIES + slot * QUERY_STRIDE, QUERY_BYTES],
      [SEND_HEADERS, SEND_VECTORS, ANSWERS + slot * MAX_UDP_BYTES, 0],
    ] as const;
    for (const [headers, vectors, bytes, length] of parts) {
      const header = headers + slot * HEADER_BYTES;
      const vector = vectors + slot * VECTOR_BYTES;
      view.setBigUint64(header + NAME_POINTER, base + BigInt(name), true);
      view.setUint32(header + NAME_LENGTH, NAME_BYTES, true);
      view.setBigUint64(header + VECTOR_POINTER, base + BigInt(vector), true);
      view.setBigUint64(header + VECTOR_COUNT, 1n, true);
      view.setBigUint64(vector + VECTOR_BASE, base + BigInt(bytes), true);
      view.setBigUint64(vector + VECTOR_LENGTH, BigInt(length), true);
    }
  }
  return {
    slots: Array.from({ length: BATCH }, (_, at) => ({
      at,
      query: Buffer.from(memory, QUERIES + at * QUERY_STRIDE, QUERY_BYTES),
      answer: Buffer.from(memory, ANSWERS + at * MAX_UDP_BYTES, MAX_UDP_BYTES),
      asker: Buffer.from(memory, NAMES + at * NAME_BYTES, NAME_BYTES),
    })),
    receiveHeaders: base + BigInt(RECEIVE_HEADERS),
    sendHeaders: Array.from({ length: BATCH }, (_, at) => base + BigInt(SEND_HEADERS + at * HEADER_BYTES)),
    words: new Uint32Array(memory),
  };
}

/** How long the question is that recvmmsg put into a slot. */
export function queryBytes({ words }: DatagramMemory, at: number): number {
  return Math.min(words[(RECEIVE_HEADERS + at * HEADER_BYTES + RECEIVED_LENGTH) / 4] ?? 0, QUERY_BYTES);
}

/** Makes a slot's answer one of so many bytes, to whom its question came from. */
export function setAnswerBytes({ words }: DatagramMemory, at: number, length: number): void {
  if (length > MAX_UDP_BYTES) throw new RangeError(`DNS answer of ${length} bytes: a slot has ${MAX_UDP_BYTES}`);
  const askerBytes = words[(RECEIVE_HEADERS + at * HEADER_BYTES + NAME_LENGTH) / 4] ?? 0;
  words[(SEND_HEADERS + at * HEADER_BYTES + NAME_LENGTH) / 4] = Math.min(askerBytes, NAME_BYTES);
  words[(SEND_VECTORS + at * VECTOR_BYTES + VECTOR_LENGTH) / 4] = length;
}

/** What {@link setAnswerBytes} was told of a slot. */
export function answerBytes({ words }: DatagramMemory, at: number): number {
  return words[(SEND_VECTORS + at * VECTOR_BYTES + VECTOR_LENGTH) / 4] ?? 0;
}

/** Makes the first slots ready to receive again: recvmmsg leaves how long each name is where the room for it was told. */
export function clearAskers({ words }: DatagramMemory, slots: number): void {
  for (let at = 0; at < slots; at++) words[(RECEIVE_HEADERS + at * HEADER_BYTES + NAME_LENGTH) / 4] = NAME_BYTES;
}
