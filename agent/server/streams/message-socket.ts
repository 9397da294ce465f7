import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import type { Clock, Timer } from '../../../kit/clock.ts';
import { channelMessage } from './channel-message.ts';

/** As the kubelet's --streaming-connection-idle-timeout. */
const IDLE_LIMIT_MS = 4 * 3_600_000;
/** A client that waits for our pong while we do not read its messages (back-pressure) learns that we are there. */
const PONG_EVERY_MS = 20_000;
/** For the other side to answer a close. */
const CLOSE_WITHIN_MS = 5000;

/** What says that a writer that was full is not any more. After its end it has no 'drain' but a 'finish'. */
const EMPTIED = ['drain', 'finish', 'close'];

/** A WebSocket as streams need it: what is sent waits for its reader, and what is written holds up its sender. */
export class MessageSocket {
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #gone = new AbortController();
  #tick: Timer | undefined;
  #activeAtMs: number;
  readonly #full = new Set<Writable>();

  constructor(socket: WebSocket, clock: Clock, stop: AbortSignal) {
    this.#socket = socket;
    this.#clock = clock;
    this.#activeAtMs = clock.monotonic();
    socket.binaryType = 'nodebuffer';
    const terminate = (): void => socket.terminate();
    stop.addEventListener('abort', terminate, { once: true });
    // Not a WebSocket's message, or too long a one: the client is told why, and has no more say.
    socket.on('error', () => {
      this.#tick?.stop();
      this.#tick = clock.timer(CLOSE_WITHIN_MS, terminate);
      this.#gone.abort();
    });
    socket.once('close', () => {
      stop.removeEventListener('abort', terminate);
      this.#tick?.stop();
      this.#gone.abort();
    });
    if (stop.aborted) terminate();
    this.#planTick();
  }

  /** Aborts when nothing more can be said to the client or heard from it, for whatever reason. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  onMessage(listener: (message: Buffer) => void): void {
    this.#socket.on('message', (data: RawData) => {
      this.#activeAtMs = this.#clock.monotonic();
      listener(data as Buffer);
    });
  }

  /** Resolves when it has left for the network, or can not any more. */
  async send(message: Uint8Array): Promise<void> {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#activeAtMs = this.#clock.monotonic();
    await new Promise<void>((resolve) => this.#socket.send(message, { binary: true }, () => resolve()));
  }

  /** Sends all of a stream on a channel, as fast as the client reads it. */
  async sendAll(channel: number, stream: Readable | undefined): Promise<void> {
    if (stream === undefined) return;
    try {
      for await (const piece of stream as AsyncIterable<Buffer>) await this.send(channelMessage(channel, piece));
    } catch {
      // It was cut off: its end tells why.
    }
  }

  /** Writes what the client has sent; as long as the writer is full, no more is read from the client. */
  write(writer: Writable | undefined, bytes: Buffer): void {
    if (writer === undefined || !writer.writable || writer.write(bytes) || this.#full.has(writer)) return;
    this.#full.add(writer);
    this.#socket.pause();
    const resume = (): void => {
      for (const event of EMPTIED) writer.off(event, resume);
      this.#full.delete(writer);
      if (this.#full.size === 0) this.#socket.resume();
    };
    for (const event of EMPTIED) writer.on(event, resume);
  }

  /** Says goodbye and resolves when the connection has ended. */
  async close(code = 1000, reason = ''): Promise<void> {
    if (this.gone.aborted) return;
    const closed = once(this.#socket, 'close');
    // A reply to our close is read like everything else.
    this.#socket.resume();
    this.#socket.close(code, reason);
    const timer = this.#clock.timer(CLOSE_WITHIN_MS, () => this.#socket.terminate());
    await closed;
    timer.stop();
  }

  #planTick(): void {
    this.#tick = this.#clock.timer(PONG_EVERY_MS, () => {
      if (this.#clock.monotonic() - this.#activeAtMs > IDLE_LIMIT_MS) {
        void this.close(1000, 'idle for 4 h');
        return;
      }
      if (this.#socket.readyState === this.#socket.OPEN) this.#socket.pong();
      this.#planTick();
    });
  }
}
