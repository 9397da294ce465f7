const STEP_MS = 20;
/** What a timer is late by on a machine that does nothing else. */
const USUAL_MS = 5;

export interface HoldUps {
  /** By how much this process' timers have come late so far, all together. */
  readonly ms: number;
  stop(): void;
}

/**
 * Measures how long the machine has had no time for this process: what it has for it, it has for others as well. A promise about time is kept
 * by what we do, and is not broken by a machine that stands still meanwhile; so a test that measures one adds this to its limit.
 */
export function watchHoldUps(): HoldUps {
  let last = performance.now();
  let ms = 0;
  const look = (): void => {
    const now = performance.now();
    ms += Math.max(0, now - last - STEP_MS - USUAL_MS);
    last = now;
  };
  const timer = setInterval(look, STEP_MS);
  timer.unref();
  return {
    get ms() {
      look();
      return ms;
    },
    stop: () => clearInterval(timer),
  };
}
