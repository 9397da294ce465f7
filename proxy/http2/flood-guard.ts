import { Allowance } from './allowance.ts';
import {
  IDLE_FRAME_BURST,
  IDLE_FRAMES_EARNED,
  IDLE_FRAMES_PER_SECOND,
  MAX_WAITING_CONTROL_FRAMES,
  RESET_BURST,
  RESETS_PER_SECOND,
} from './limits.ts';

/** What a peer may do without end, and how often (limits.ts). Each answers whether it may once more. */
export class FloodGuard {
  readonly #resets = new Allowance(RESET_BURST, RESETS_PER_SECOND);
  readonly #idleFrames = new Allowance(IDLE_FRAME_BURST, IDLE_FRAMES_PER_SECOND);
  #waiting = 0;

  /** A stream that the peer reset, or made us reset or refuse. */
  reset(nowMs: number): boolean {
    return this.#resets.take(nowMs);
  }

  /** A stream came to its end on both sides. */
  completed(): void {
    this.#resets.earn(1);
  }

  /** A frame that carries nothing. */
  idleFrame(nowMs: number): boolean {
    return this.#idleFrames.take(nowMs);
  }

  /** A request, or data one way or the other. */
  worked(): void {
    this.#idleFrames.earn(IDLE_FRAMES_EARNED);
  }

  /** An answer that the peer asked for and does not read. */
  waitingAnswer(): boolean {
    return ++this.#waiting <= MAX_WAITING_CONTROL_FRAMES;
  }

  answersRead(): void {
    this.#waiting = 0;
  }
}
