import { backoffMs } from '../../kit/backoff.ts';
import type { Clock } from '../../kit/clock.ts';
import { readTextIfPresent, writeFileAtomic } from '../../kit/disk.ts';
import type { Logger } from '../../kit/log.ts';
import type { Random } from '../../kit/random.ts';
import { renewAfterMs, tokenTimes } from './renewal.ts';
import type { TokenIssuer, TokenOrder } from './token-issuer.ts';

export interface TokenFileOptions {
  readonly path: string;
  readonly order: TokenOrder;
  readonly issue: TokenIssuer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

const RETRY = { baseMs: 1000, maxMs: 60_000, jitter: 0.3 };

/** A file (0600) that always holds a valid token, as long as the API server can be reached in time. */
export class TokenFile {
  readonly #options: TokenFileOptions;
  readonly #abort = new AbortController();
  #renewing: Promise<void> = Promise.resolve();

  constructor(options: TokenFileOptions) {
    this.#options = options;
  }

  /** Resolves when the file holds a token that is still valid; one from before is kept. Throws when none can be had. */
  async start(): Promise<void> {
    const present = await readTextIfPresent(this.#options.path);
    const times = present === undefined ? undefined : tokenTimes(present);
    const isValid = times !== undefined && times.expiresAtMs > this.#options.clock.now();
    const first = isValid ? times : await this.#renew();
    this.#renewing = this.#keepFresh(first);
  }

  async close(): Promise<void> {
    this.#abort.abort(new Error('token file closed'));
    await this.#renewing;
  }

  async #keepFresh(first: { readonly issuedAtMs: number; readonly expiresAtMs: number }): Promise<void> {
    const { clock, random, log } = this.#options;
    const { signal } = this.#abort;
    let { issuedAtMs, expiresAtMs } = first;
    let failures = 0;
    while (!signal.aborted) {
      try {
        const waitMs =
          failures === 0
            ? renewAfterMs(issuedAtMs, expiresAtMs, clock.now(), random)
            : backoffMs(failures - 1, RETRY, random);
        await clock.sleep(waitMs, signal);
        ({ issuedAtMs, expiresAtMs } = await this.#renew());
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (failures === 0) log.warn({ error }, 'cannot renew the token; trying again');
        failures++;
      }
    }
  }

  async #renew(): Promise<{ issuedAtMs: number; expiresAtMs: number }> {
    const { issue, order, path, clock } = this.#options;
    const issuedAtMs = clock.now();
    const { token, expiresAtMs } = await issue(order);
    await writeFileAtomic(path, token, { mode: 0o600 });
    return { issuedAtMs, expiresAtMs };
  }
}
