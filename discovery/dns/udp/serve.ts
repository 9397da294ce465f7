import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Logger } from '../../../kit/log.ts';
import type { Responder } from '../responder.ts';
import type { Batch } from './batch.ts';
import type { Slot } from './memory.ts';
import { readSocketAddress, type SocketAddress } from './socket-address.ts';

/** Answers that wait until the system takes them. What comes on top is dropped, as a full buffer on the way would do. */
const MAX_UNSENT_BYTES = 1_048_576;

export interface UdpServerOptions {
  /** Bound; the server's to close. */
  readonly udp: Socket;
  readonly responder: Responder;
  /** Undefined: each datagram is an event of node's, and each answer a call of its own. */
  readonly batch: Batch | undefined;
  readonly log: Logger;
}

/**
 * Answers what comes to a socket. node:dgram tells that something came and gives one datagram; a batch of what waits behind it is then
 * read and answered at once. libuv reads at most 32 datagrams before it looks at what else there is to do, so a flood of
 * questions takes some milliseconds of each turn of the event loop, not all of them.
 */
export class UdpServer {
  readonly #udp: Socket;
  readonly #responder: Responder;
  readonly #batch: Batch | undefined;
  readonly #handle: Handle | undefined;
  #closed = false;

  constructor({ udp, responder, batch, log }: UdpServerOptions) {
    this.#udp = udp;
    this.#responder = responder;
    this.#handle = batch === undefined ? undefined : handleOf(udp);
    this.#batch = this.#handle === undefined ? undefined : batch;
    udp.on('error', (error) => log.error({ error }, 'DNS over UDP'));
    udp.on('message', (query, from) => {
      const answer = this.#responder.respond(query, 'udp');
      if (answer instanceof Promise) void answer.then((late) => this.#sendAlone(late, from));
      else this.#sendAlone(answer, from);
      if (this.#batch !== undefined) this.#answerWaiting(this.#batch);
    });
  }

  /** Whether what waits is read in batches. */
  get batched(): boolean {
    return this.#batch !== undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const closed = once(this.#udp, 'close');
    this.#udp.close();
    await closed;
  }

  #answerWaiting(batch: Batch): void {
    // Looked at anew each time: once the socket is closed, its number may be another file's.
    const descriptor = this.#handle?.fd ?? -1;
    if (descriptor < 0) return;
    // The slot will be written to again before node has sent what it is given.
    const failed = ({ answer, asker }: Slot, length: number): void =>
      this.#sendAlone(Buffer.from(answer.subarray(0, length)), readSocketAddress(asker));
    const count = batch.receive(descriptor);
    let unsent = 0;
    for (let at = 0; at < count; at++) {
      const slot = batch.slots[at];
      if (slot !== undefined && this.#answerIn(slot, batch)) continue;
      batch.send(descriptor, unsent, at, failed);
      unsent = at + 1;
    }
    batch.send(descriptor, unsent, count, failed);
  }

  /** Whether there is an answer at once, and it is in the slot. */
  #answerIn(slot: Slot, batch: Batch): boolean {
    const length = batch.queryBytes(slot);
    const again = this.#responder.answerAgain(slot.query, length, slot.answer);
    if (again > 0) {
      batch.setAnswerBytes(slot, again);
      return true;
    }
    // Who answers later reads the question then, when another is in the slot.
    const answer = this.#responder.respond(Buffer.from(slot.query.subarray(0, length)), 'udp');
    if (answer instanceof Promise) {
      const from = readSocketAddress(slot.asker);
      void answer.then((late) => this.#sendAlone(late, from));
      return false;
    }
    if (answer === undefined) return false;
    slot.answer.set(answer);
    batch.setAnswerBytes(slot, answer.length);
    return true;
  }

  /** Without a callback: node then neither waits a tick for each answer nor makes an asker that is gone the socket's error. */
  #sendAlone(answer: Uint8Array | undefined, to: SocketAddress | undefined): void {
    // Port 0 is nobody's: only a forged question comes from there, and node throws at it.
    if (answer === undefined || to === undefined || to.port === 0 || this.#closed) return;
    if (this.#udp.getSendQueueSize() + answer.length > MAX_UNSENT_BYTES) return;
    this.#udp.send(answer, 0, answer.length, to.port, to.address);
  }
}

/** Node's own object for a socket. Its descriptor is negative once it is closed. */
interface Handle {
  readonly fd: number;
}

/** Node has no public way to a socket's descriptor. Undefined where it has none, or keeps it elsewhere one day. */
function handleOf(udp: Socket): Handle | undefined {
  const symbol = Object.getOwnPropertySymbols(udp).find(({ description }) => description === 'state symbol');
  if (symbol === undefined) return undefined;
  const { handle } = Reflect.get(udp, symbol) as { readonly handle?: Partial<Handle> | null };
  return handle?.fd !== undefined && handle.fd >= 0 ? (handle as Handle) : undefined;
}
