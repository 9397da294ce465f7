import type net from 'node:net';
import { Alarm, TICK_MS } from '../../kit/timer-wheel.ts';
import type { Runtime } from '../runtime.ts';
import type { Connection } from './connection.ts';
import type { Look } from './look.ts';
import { TcpConnection } from './tcp-connection.ts';

export interface OpeningOptions<Found> {
  readonly runtime: Runtime;
  readonly socket: net.Socket;
  readonly look: Look<Found>;
  readonly timeoutMs: number;
  /** What takes the connection from here on, and says when it is gone; undefined when nothing takes it: the socket is closed. */
  readonly serve: (found: Found, onClose: () => void) => Connection | undefined;
  readonly onClose: () => void;
}

/**
 * A connection of which nobody knows yet which chain is to take it. The first bytes say so. A client that says nothing within the time may
 * wait for the server to speak: then bytes go both ways, and while none has, it may still turn out to be HTTP (a client that opens
 * connections ahead of its requests).
 */
export class OpeningConnection<Found> implements Connection {
  readonly #socket: net.Socket;
  readonly #runtime: Runtime;
  readonly #look: Look<Found>;
  readonly #serve: OpeningOptions<Found>['serve'];
  readonly #onClose: () => void;
  readonly #alarm: Alarm;
  #held: Buffer = NOTHING;
  #next: Connection | undefined = undefined;
  /** What was begun because nobody spoke; undefined once it is settled. */
  #silent: TcpConnection | undefined = undefined;
  #isRetired = false;
  #isClosed = false;

  constructor({ runtime, socket, look, timeoutMs, serve, onClose }: OpeningOptions<Found>) {
    this.#socket = socket;
    this.#runtime = runtime;
    this.#look = look;
    this.#serve = serve;
    this.#onClose = onClose;
    this.#alarm = new Alarm(() => this.#timeIsOver());
    // The wheel may be a tick late, and the time is the most that a client waits.
    runtime.wheel.set(this.#alarm, runtime.clock.monotonic(), Math.max(0, timeoutMs - TICK_MS));
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onGone);
    socket.on('close', this.#onGone);
  }

  receive(from: Buffer, count: number): void {
    if (this.#silent !== undefined) this.#breakSilence(from.subarray(0, count));
    if (this.#next !== undefined) {
      this.#next.receive(from, count);
      return;
    }
    if (this.#isClosed) return;
    this.#held = Buffer.concat([this.#held, from.subarray(0, count)]);
    const found = this.#look.find(this.#held);
    if (found !== undefined) this.#handOver(found);
  }

  drain(): void {
    this.#next?.drain?.();
  }

  retire(): void {
    this.#isRetired = true;
    this.#next?.retire();
  }

  close(): void {
    if (this.#next !== undefined) this.#next.close();
    else this.#gone();
  }

  readonly #onEnd = (): void => {
    const next = this.#handOver(this.#look.settle(this.#held, 'end'));
    if (next instanceof TcpConnection) next.clientEnded();
  };
  readonly #onGone = (): void => this.#gone();

  #timeIsOver(): void {
    const isSilent = this.#held.length === 0;
    const next = this.#handOver(this.#look.settle(this.#held, 'time'));
    if (isSilent && next instanceof TcpConnection) this.#silent = next;
  }

  /** The first byte of the client's, after the time to wait for it. */
  #breakSilence(bytes: Buffer): void {
    const silent = this.#silent;
    this.#silent = undefined;
    const found = silent?.isUntouched === true ? this.#look.reconsider(bytes) : undefined;
    if (found === undefined) return;
    silent?.release();
    this.#next = this.#serve(found, this.#onGone);
    if (this.#isRetired) this.#next?.retire();
  }

  #handOver(found: Found | undefined): Connection | undefined {
    const socket = this.#socket;
    this.#runtime.wheel.remove(this.#alarm);
    socket.off('end', this.#onEnd);
    socket.off('error', this.#onGone);
    socket.off('close', this.#onGone);
    const held = found === undefined ? NOTHING : this.#held.subarray(this.#look.taken?.(found) ?? 0);
    this.#held = NOTHING;
    const next = found === undefined ? undefined : this.#serve(found, this.#onGone);
    this.#next = next;
    if (next === undefined) {
      this.#gone();
      return undefined;
    }
    if (held.length > 0) next.receive(held, held.length);
    if (this.#isRetired) next.retire();
    return next;
  }

  #gone(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#runtime.wheel.remove(this.#alarm);
    this.#held = NOTHING;
    if (this.#next === undefined) {
      this.#socket.on('error', () => undefined);
      this.#socket.destroy();
    }
    this.#onClose();
  }
}

const NOTHING = Buffer.alloc(0);
