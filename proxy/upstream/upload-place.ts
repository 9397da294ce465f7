import type { Upload } from '../cluster/upload-places.ts';
import type { Reason } from '../telemetry/reason.ts';
import type { Tries } from './tries.ts';

/** A request whose body is still to come, as its place needs it. */
export interface UploadUser {
  /** Asks the upstream. */
  ask(nowMs?: number): void;
  /** What has come of the body leaves, or makes the client wait. */
  flushUpload(): void;
  /** Is answered with 503, and never asked. */
  refuse(message: string): void;
  /** Was asked, and is ended. */
  giveUp(status: number, reason: Reason, message: string): void;
}

/** One request's place among those of its cluster whose bodies are still to come, and what becomes of a request that gets or keeps none. */
export class UploadPlace implements Upload {
  readonly #tries: Tries;
  readonly #user: UploadUser;
  readonly #statusOfDisplaced: 408 | 503;

  /** Of `tries` that are not open yet. */
  constructor(tries: Tries, user: UploadUser, what: 'request' | 'call') {
    this.#tries = tries;
    this.#user = user;
    this.#statusOfDisplaced = what === 'call' ? 503 : 408;
  }

  /** The upstream is asked now or later, or the request is refused. */
  enter(patience: 'may-wait' | 'cannot-wait', nowMs: number): void {
    const { uploads, config } = this.#tries.cluster;
    const place = uploads.enter(this, config.maxRequests, patience);
    if (place === 'asked') this.#user.ask(nowMs);
    else if (place === 'refused') this.#refuse();
  }

  admitted(): void {
    this.#user.ask();
    this.#user.flushUpload();
  }

  displaced(): void {
    if (!this.#tries.isOpen) this.#refuse();
    else this.#user.giveUp(this.#statusOfDisplaced, 'DT', 'other requests could not wait for the rest of this one');
  }

  /** As much has come as is kept: the upstream is asked now, or never. */
  press(): void {
    const { uploads, config } = this.#tries.cluster;
    if (uploads.press(this, config.maxRequests)) this.#user.ask();
    else this.#refuse();
  }

  /** It can neither be repeated nor make way for others. */
  settle(): void {
    this.#tries.cluster.uploads.settle(this);
  }

  /** The body is whole: from here on it is a request as others. */
  whole(nowMs: number): void {
    const { cluster, isOpen } = this.#tries;
    cluster.uploads.leave(this);
    if (isOpen) return;
    if (cluster.isFull) this.#user.refuse(`cluster "${cluster.config.name}": too many requests at once`);
    else this.#user.ask(nowMs);
  }

  /** The request is over. */
  leave(): void {
    this.#tries.cluster.uploads.leave(this);
  }

  #refuse(): void {
    const { name } = this.#tries.cluster.config;
    this.#user.refuse(`cluster "${name}": too many requests at once whose bodies are still to come`);
  }
}
