import { setFlagsFromString } from 'node:v8';
import type { Clock, Timer } from '../kit/clock.ts';

const LOOK_MS = 2000;
/** Of one core. A sidecar that waits takes less than a hundredth; what a mesh's changes cost it is over by the next look. */
const BUSY_SHARE = 0.1;
const BUSY_LOOKS = 2;

// V8 asks for the factor whenever it thinks of growing, so it can be changed while code runs; at its own start it takes none below 2.
const STAY = '--semi-space-growth-factor=1';
const GROW = '--semi-space-growth-factor=2';

// From the first line on: what a start brings in would make it grow.
setFlagsFromString(STAY);

/**
 * How much memory new objects have before the collector comes. What a request made is alive until it is answered, and is copied each time:
 * with 1 MB, and 64 calls of gRPC under way, most of what there is, every hundred calls. So it may grow to what an agent lets it
 * (cli/process/proxy-command.ts) once the proxy has much to do; V8 does so by itself when much survives. An idle sidecar keeps its 1 MB.
 */
export class YoungGeneration {
  readonly #clock: Clock;
  readonly #cpuMicros: () => number;
  #timer: Timer;
  #lookedAtMs: number;
  #spentMicros: number;
  #busyLooks = 0;

  /** `cpuMicros`: what the process has spent so far. */
  constructor(clock: Clock, cpuMicros: () => number = spentByProcess) {
    this.#clock = clock;
    this.#cpuMicros = cpuMicros;
    this.#lookedAtMs = clock.monotonic();
    this.#spentMicros = cpuMicros();
    this.#timer = clock.timer(LOOK_MS, () => this.#look());
  }

  close(): void {
    this.#timer.stop();
  }

  #look(): void {
    const now = this.#clock.monotonic();
    const spent = this.#cpuMicros();
    const share = (spent - this.#spentMicros) / 1000 / Math.max(1, now - this.#lookedAtMs);
    this.#lookedAtMs = now;
    this.#spentMicros = spent;
    this.#busyLooks = share >= BUSY_SHARE ? this.#busyLooks + 1 : 0;
    setFlagsFromString(this.#busyLooks >= BUSY_LOOKS ? GROW : STAY);
    this.#timer = this.#clock.timer(LOOK_MS, () => this.#look());
  }
}

function spentByProcess(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
