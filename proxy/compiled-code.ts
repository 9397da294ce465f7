import { flushCompileCache } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import type { Clock, Timer } from '../kit/clock.ts';

/** What the first configuration set going has been compiled by then. */
const SETTLE_MS = 1000;
/** Without a configuration, or with one that is refused in part, a start is over by then. */
const START_LIMIT_MS = 10_000;

// V8's own thresholds for Maglev: calls of a function, and of one that is within a loop. V8 looks at them whenever it decides, so they can
// be changed while code runs.
const OPTIMIZE_AS_USUAL = ['--invocation-count-for-maglev=400', '--invocation-count-for-maglev-osr=100'];

/**
 * How a proxy's own code is compiled. An agent starts it with thresholds at which nothing is optimized (cli/process/proxy-command.ts): reading
 * a mesh's configuration once is not worth the 8 MB of an idle sidecar that V8's compiler takes. Once it has started, what it carries
 * decides, as everywhere; left so, a request cost half as much again for the first 30,000. Then it leaves what it has compiled to the proxies that start after it (NODE_COMPILE_CACHE): Node
 * itself does so when a process ends, but a machine's proxies start while the first of them runs.
 */
export class CompiledCode {
  readonly #clock: Clock;
  #timer: Timer;
  #works = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#timer = clock.timer(START_LIMIT_MS, started);
  }

  /** To be told when the process does what it is for; once is enough. */
  works(): void {
    if (this.#works) return;
    this.#works = true;
    this.#timer.stop();
    this.#timer = this.#clock.timer(SETTLE_MS, started);
  }

  close(): void {
    this.#timer.stop();
  }
}

function started(): void {
  for (const flag of OPTIMIZE_AS_USUAL) setFlagsFromString(flag);
  flushCompileCache();
}
