/** What a load prints as its last word, as one line of JSON. */
export interface LoadOutcome {
  readonly requests: number;
  readonly failures: number;
  readonly durationMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
}

/** The line that a load prints when its connections are up and counting begins. */
export const BEGUN = 'begun';

// Latencies in steps of 10 µs, the last for all that is longer.
const STEP_MS = 0.01;
const STEPS = 200_000;

/**
 * Counts answers and their latencies, from `begin` until the time is over. Then it says so and waits for the end of standard
 * input, so that the proxy's work is read before all connections close.
 */
export class Tally {
  requests = 0;
  failures = 0;
  over = false;
  #startedAtMs = 0;
  readonly #latencies = new Uint32Array(STEPS);
  #counted = 0;

  begin(durationMs: number, finish: (tally: Tally) => void = () => undefined): void {
    process.stdout.write(`${BEGUN}\n`);
    this.requests = 0;
    this.#counted = 0;
    this.#latencies.fill(0);
    this.#startedAtMs = performance.now();
    setTimeout(() => {
      this.over = true;
      finish(this);
      process.stdout.write(`${JSON.stringify(this.#outcome())}\n`);
      process.stdin.resume().on('end', () => process.exit());
    }, durationMs);
  }

  answered(tookMs: number): void {
    this.requests++;
    this.took(tookMs);
  }

  took(tookMs: number): void {
    const step = Math.min(STEPS - 1, Math.floor(tookMs / STEP_MS));
    this.#latencies[step] = (this.#latencies[step] ?? 0) + 1;
    this.#counted++;
  }

  #outcome(): LoadOutcome {
    return {
      requests: this.requests,
      failures: this.failures,
      durationMs: performance.now() - this.#startedAtMs,
      p50Ms: this.#percentile(0.5),
      p99Ms: this.#percentile(0.99),
      p999Ms: this.#percentile(0.999),
    };
  }

  #percentile(share: number): number {
    let left = this.#counted * share;
    const step = this.#latencies.findIndex((count) => (left -= count) < 0);
    return Number(((step < 0 ? STEPS : step) * STEP_MS).toFixed(3));
  }
}
