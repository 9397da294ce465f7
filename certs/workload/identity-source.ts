import type { Clock, Timer } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { Random } from '../../kit/random.ts';
import { acceptSvid } from './accept-svid.ts';
import { createKeyAndCsr } from './key-and-csr.ts';
import type { MeshIdentity } from './mesh-identity.ts';
import { nextRotationMs } from './rotation.ts';

/** What an authority answers to a request. */
export interface ObtainedSvid {
  readonly certificateChainPem: string;
  readonly trustBundlePem: string;
}

export interface IdentitySourceOptions {
  /** Asks for a certificate. The signal ends an attempt that takes too long, or that nobody needs any more. */
  readonly obtain: (csrPem: string, signal: AbortSignal) => Promise<ObtainedSvid>;
  readonly spiffeId: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** An attempt that has not ended by then has failed. */
const ATTEMPT_MS = 10_000;

/** A wait is cut into pieces, so that a machine that slept, or whose clock was set, notices soon. */
const MAX_WAIT_MS = 60_000;

/**
 * This process' identity, renewed at half life with a new key each time. While renewing fails the present one stays, and attempts
 * follow sooner the nearer its end is.
 */
export class IdentitySource {
  readonly #options: IdentitySourceOptions;
  readonly #listeners = new Set<(identity: MeshIdentity) => void>();
  readonly #closing = new AbortController();
  #identity: MeshIdentity | undefined;
  #obtainedMs = 0;
  #failures = 0;
  #attempt: Promise<MeshIdentity> | undefined;
  #first: PromiseWithResolvers<MeshIdentity> | undefined;
  #timer: Timer | undefined;

  constructor(options: IdentitySourceOptions) {
    this.#options = options;
  }

  /** Throws before the first one is there. */
  current(): MeshIdentity {
    if (this.#identity !== undefined) return this.#identity;
    throw new Error(`identity "${this.#options.spiffeId}": is not obtained yet; await start()`);
  }

  /** Calls back with each new identity, from the next on. Returns what ends that. */
  onChange(listener: (identity: MeshIdentity) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Begins to obtain and renew; resolves with the first identity, however many attempts it takes. Rejects when closed. */
  start(): Promise<MeshIdentity> {
    if (this.#closing.signal.aborted) return Promise.reject(this.#closing.signal.reason as Error);
    if (this.#identity !== undefined) return Promise.resolve(this.#identity);
    if (this.#first === undefined) {
      this.#first = Promise.withResolvers();
      this.#first.promise.catch(() => undefined);
      this.rotateNow().catch(() => undefined);
    }
    return this.#first.promise;
  }

  /** One attempt, at once; joins one under way. Rejects when it fails, and the present identity stays. */
  rotateNow(): Promise<MeshIdentity> {
    this.#attempt ??= this.#rotate().finally(() => {
      this.#attempt = undefined;
      this.#plan();
      // Only now: who awaits start() and then rotates must not join the attempt that has just ended.
      if (this.#identity !== undefined) this.#first?.resolve(this.#identity);
    });
    return this.#attempt;
  }

  /** Whether the last attempt failed, so that another is waited for. */
  get isFailing(): boolean {
    return this.#failures > 0;
  }

  /** Undefined before the first one is there. */
  get identity(): MeshIdentity | undefined {
    return this.#identity;
  }

  /** Ends renewing and every attempt. The last identity stays readable. */
  close(): void {
    this.#timer?.stop();
    this.#listeners.clear();
    const reason = new Error(`identity "${this.#options.spiffeId}": its source is closed`);
    this.#closing.abort(reason);
    this.#first?.reject(reason);
  }

  async #rotate(): Promise<MeshIdentity> {
    const { spiffeId, clock, log } = this.#options;
    try {
      this.#closing.signal.throwIfAborted();
      const { csrPem, privateKeyPem } = createKeyAndCsr(spiffeId);
      const svid = await this.#obtainInTime(csrPem);
      const generation = (this.#identity?.generation ?? 0) + 1;
      const identity = acceptSvid({ ...svid, privateKeyPem }, { spiffeId, nowMs: clock.now(), generation });
      this.#failures = 0;
      this.#obtainedMs = clock.now();
      this.#identity = identity;
      this.#tell(identity);
      return identity;
    } catch (error) {
      this.#failures += 1;
      if (!this.#closing.signal.aborted) {
        log.warn({ error, spiffeId, attempt: this.#failures }, 'cannot obtain an identity, will try again');
      }
      throw error;
    }
  }

  #tell(identity: MeshIdentity): void {
    const { log, spiffeId } = this.#options;
    for (const listener of this.#listeners) {
      try {
        listener(identity);
      } catch (error) {
        log.error({ error, spiffeId }, 'a listener failed on a new identity');
      }
    }
  }

  async #obtainInTime(csrPem: string): Promise<ObtainedSvid> {
    const attempt = new AbortController();
    const timer = this.#options.clock.timer(ATTEMPT_MS, () =>
      attempt.abort(new Error(`no answer within ${ATTEMPT_MS / 1000} s`)),
    );
    const signal = AbortSignal.any([attempt.signal, this.#closing.signal]);
    const aborted = Promise.withResolvers<never>();
    const onAbort = (): void => aborted.reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([this.#options.obtain(csrPem, signal), aborted.promise]);
    } finally {
      timer.stop();
      signal.removeEventListener('abort', onAbort);
    }
  }

  #plan(): void {
    this.#timer?.stop();
    if (this.#closing.signal.aborted) return;
    const { clock, random } = this.#options;
    const rotation = {
      obtainedMs: this.#obtainedMs,
      notAfterMs: this.#identity?.notAfterMs ?? 0,
      failures: this.#failures,
    };
    this.#waitUntil(clock.now() + nextRotationMs(rotation, clock.now(), random));
  }

  #waitUntil(atMs: number): void {
    const { clock } = this.#options;
    const leftMs = Math.max(0, atMs - clock.now());
    this.#timer = clock.timer(Math.min(leftMs, MAX_WAIT_MS), () => {
      if (clock.now() < atMs) this.#waitUntil(atMs);
      else this.rotateNow().catch(() => undefined);
    });
  }
}
