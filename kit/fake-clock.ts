import { type Clock, sleepOn, type Timer } from './clock.ts';

interface Pending {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
}

/** A clock that stands still until `advance` moves it. Timers fire in the order of their time, then of their start. */
export class FakeClock implements Clock {
  #now: number;
  #order = 0;
  readonly #startedAt: number;
  readonly #pending = new Set<Pending>();

  constructor(nowMs: number = Date.UTC(2030, 0, 1)) {
    this.#now = nowMs;
    this.#startedAt = nowMs;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now - this.#startedAt;
  }

  /** How many timers wait: what a test asserts to show that nothing is left behind. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  timer(delayMs: number, fire: () => void): Timer {
    const pending: Pending = { at: this.#now + Math.max(0, delayMs), order: this.#order++, fire };
    this.#pending.add(pending);
    return { stop: () => this.#pending.delete(pending) };
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, delayMs, signal);
  }

  /** Moves time forward, firing what falls due; microtasks run between two timers, so awaiting code keeps up. */
  async advance(byMs: number): Promise<void> {
    const until = this.#now + byMs;
    for (;;) {
      await settle();
      const next = this.#earliest();
      if (next === undefined || next.at > until) break;
      this.#pending.delete(next);
      this.#now = next.at;
      next.fire();
    }
    this.#now = until;
    await settle();
  }

  #earliest(): Pending | undefined {
    let earliest: Pending | undefined;
    for (const pending of this.#pending) {
      if (
        earliest === undefined ||
        pending.at < earliest.at ||
        (pending.at === earliest.at && pending.order < earliest.order)
      ) {
        earliest = pending;
      }
    }
    return earliest;
  }
}

/** Lets promise chains run to their next wait. A turn of the event loop drains every microtask queued so far. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
