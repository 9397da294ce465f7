import type { Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { handleWith, streamWrap, type WriteRequest } from './stream-wrap.ts';

interface Handle {
  writeLatin1String(request: WriteRequest, text: string): number;
}

type Done = (error?: Error | null) => void;

/** What a Writable asks of a stream (node:stream, "Implementing a writable stream"). */
interface Implementation {
  _write(chunk: unknown, encoding: string, done: Done): void;
  _writev?(chunks: unknown, done: Done): void;
  _final(done: Done): void;
}

// Used again as long as writes end at once.
let spare: WriteRequest | undefined;

/**
 * Writes text to a socket's handle, past the stream's own machinery, which costs a small message half as much as its TLS record. The
 * handle is no public API, so it is looked for, never assumed; and whatever else is written to the socket keeps its place: it goes to the
 * stream, which is empty whenever a direct write begins.
 */
export class DirectWriter {
  readonly #socket: Socket;
  readonly #secure: boolean;
  /** Bytes that the handle has taken and not passed on yet. */
  #heldBytes = 0;
  /** The stream writes. Its own length does not tell: an empty chunk counts for nothing there, and still is a write to TLS. */
  #streaming = false;
  /** What the stream wants done and must wait with: TLS takes one write at a time. */
  #deferred: (() => void) | undefined = undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#secure = 'encrypted' in socket;
    if (this.#secure && streamWrap !== undefined) this.#guard(socket);
  }

  /** As `writableNeedDrain`: what was written directly is more than should wait. 'drain' tells when it no longer is. */
  get isBlocked(): boolean {
    return this.#heldBytes >= this.#socket.writableHighWaterMark;
  }

  /** latin1. False when it has to go by the stream. */
  write(text: string): boolean {
    const socket = this.#socket;
    if (streamWrap === undefined || this.#heldBytes > 0 || this.#streaming || socket.writableLength > 0) return false;
    if (socket.connecting || !socket.writable) return false;
    const handle = handleWith<Handle>(socket, 'writeLatin1String');
    if (handle === undefined) return false;
    const request = spare ?? new streamWrap.WriteWrap();
    spare = undefined;
    const error = handle.writeLatin1String(request, text);
    if (error !== 0) this.#failed(error);
    else if (streamWrap.streamBaseState[streamWrap.kLastWriteWasAsync] === 0) spare = request;
    else {
      this.#heldBytes = text.length;
      request.oncomplete = (status) => this.#completed(status);
    }
    return true;
  }

  #completed(status: number): void {
    const blocked = this.isBlocked;
    this.#heldBytes = 0;
    const deferred = this.#deferred;
    this.#deferred = undefined;
    if (status < 0) this.#failed(status);
    deferred?.();
    if (blocked && !this.#socket.writableNeedDrain && !this.#socket.destroyed) this.#socket.emit('drain');
  }

  #failed(status: number): void {
    if (!this.#socket.destroyed) this.#socket.destroy(new Error(`write: ${getSystemErrorName(status)}`));
  }

  /** The stream asks for one thing at a time, and for the next when this one is done: so one place is enough for what waits. */
  #guard(socket: Implementation): void {
    const write = socket._write.bind(socket);
    const writev = socket._writev?.bind(socket);
    const final = socket._final.bind(socket);
    const later = (action: () => void): void => {
      if (this.#heldBytes > 0) this.#deferred = action;
      else action();
    };
    const telling = (done: Done): Done => {
      this.#streaming = true;
      return (error) => {
        this.#streaming = false;
        done(error);
      };
    };
    socket._write = (chunk, encoding, done) => later(() => write(chunk, encoding, telling(done)));
    if (writev !== undefined) {
      socket._writev = (chunks, done) => later(() => writev(chunks, telling(done)));
    }
    // A close_notify that overtook a write would be lost.
    socket._final = (done) => later(() => final(done));
  }
}
