import type { Clock, Timer } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { RawResources } from './configuration.ts';
import { readLastGood, writeLastGood } from './last-good.ts';

// Endpoints change often; the newest is on disk soon enough for a proxy that is killed and started again.
const WRITE_AFTER_MS = 1000;

/** Writes the newest working configuration down, one write at a time and never more than one a second. */
export class LastGoodKeeper {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  #newest: RawResources | undefined = undefined;
  #timer: Timer | undefined = undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string, clock: Clock, log: Logger) {
    this.#path = path;
    this.#clock = clock;
    this.#log = log;
  }

  read(): Promise<RawResources | undefined> {
    return readLastGood(this.#path);
  }

  keep(raw: RawResources): void {
    this.#newest = raw;
    this.#timer ??= this.#clock.timer(WRITE_AFTER_MS, () => void this.#flush());
  }

  /** Writes what has not been written yet. */
  close(): Promise<void> {
    return this.#flush();
  }

  #flush(): Promise<void> {
    this.#timer?.stop();
    this.#timer = undefined;
    const raw = this.#newest;
    this.#newest = undefined;
    if (raw !== undefined) this.#writing = this.#write(this.#writing, raw);
    return this.#writing;
  }

  async #write(before: Promise<void>, raw: RawResources): Promise<void> {
    await before;
    try {
      await writeLastGood(this.#path, raw);
    } catch (error) {
      this.#log.warn({ error }, `cannot keep the configuration in "${this.#path}"`);
    }
  }
}
