import { type Backoff, backoffMs } from '../../../kit/backoff.ts';
import type { Clock } from '../../../kit/clock.ts';
import type { Logger } from '../../../kit/log.ts';
import type { Random } from '../../../kit/random.ts';
import { acceptSvid } from '../accept-svid.ts';
import type { MeshIdentity } from '../mesh-identity.ts';
import { pemOfDerList } from './der-list.ts';
import type { X509SvidResponse } from './messages.ts';

/** A call of FetchX509SVID. */
export interface SvidCall {
  onMessage(listener: (response: X509SvidResponse) => void): void;
  /** Once, also after `close`. Without an error the server has ended it in peace. */
  onEnd(listener: (error: Error | undefined) => void): void;
  /** Ends the call and its connection. */
  close(): void;
}

export interface WorkloadApiSourceOptions {
  /** `unix:///path/of/the/socket` */
  readonly address: string;
  readonly spiffeId: string;
  /** Asks the Workload API there (methods.ts), over a connection of its own. */
  readonly open: (address: string) => SvidCall;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

// An agent that is started again is back within a second or two, and its socket costs nothing to try.
const RECONNECT: Backoff = { baseMs: 50, maxMs: 1000, jitter: 0.5 };

/**
 * This process' identity, as the SPIFFE Workload API of the node's agent gives and renews it. While the agent is away the last
 * one stays.
 */
export class WorkloadApiSource {
  readonly #options: WorkloadApiSourceOptions;
  readonly #listeners = new Set<(identity: MeshIdentity) => void>();
  readonly #closing = new AbortController();
  readonly #first = Promise.withResolvers<MeshIdentity>();
  #identity: MeshIdentity | undefined;
  #call: SvidCall | undefined;
  #isRunning = false;
  #failures = 0;

  constructor(options: WorkloadApiSourceOptions) {
    this.#options = options;
    this.#first.promise.catch(() => undefined);
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

  /** Resolves with the first identity, however often the agent must be asked. Rejects when closed. */
  start(): Promise<MeshIdentity> {
    if (!this.#isRunning) void this.#run();
    this.#isRunning = true;
    return this.#first.promise;
  }

  close(): void {
    this.#listeners.clear();
    const reason = new Error(`identity "${this.#options.spiffeId}": its source is closed`);
    this.#closing.abort(reason);
    this.#first.reject(reason);
    this.#call?.close();
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.#follow();
      if (signal.aborted) return;
      await clock.sleep(backoffMs(this.#failures++, RECONNECT, random), signal).catch(() => undefined);
    }
  }

  /** One call, from its connection to its end. */
  async #follow(): Promise<void> {
    const { address, open, log } = this.#options;
    const call = open(address);
    this.#call = call;
    call.onMessage((response) => this.#receive(response));
    const error = await new Promise<Error | undefined>((resolve) => call.onEnd(resolve));
    this.#call = undefined;
    call.close();
    if (this.#closing.signal.aborted) return;
    // Once for each time that it goes away, not for each try to reach it again.
    log[this.#failures === 0 ? 'warn' : 'debug']({ error, address }, 'the Workload API is away, will try again');
  }

  #receive({ svids }: X509SvidResponse): void {
    const { spiffeId, clock, log } = this.#options;
    try {
      const svid = svids.find((each) => each.spiffeId === spiffeId);
      if (svid === undefined) {
        const given = svids.map((each) => each.spiffeId).join(', ') || 'none';
        throw new Error(`identities given: ${given}, "${spiffeId}" is wanted`);
      }
      const offered = {
        certificateChainPem: pemOfDerList('CERTIFICATE', svid.certificates),
        privateKeyPem: pemOfDerList('PRIVATE KEY', svid.privateKey),
        trustBundlePem: pemOfDerList('CERTIFICATE', svid.bundle),
      };
      const generation = (this.#identity?.generation ?? 0) + 1;
      const identity = acceptSvid(offered, { spiffeId, nowMs: clock.now(), generation });
      this.#failures = 0;
      // The same again, as an agent that has been started anew may send: pools need not be made anew for it.
      if (isSame(identity, this.#identity)) return;
      this.#identity = identity;
      for (const listener of this.#listeners) listener(identity);
      this.#first.resolve(identity);
    } catch (error) {
      log.error({ error, spiffeId }, 'the Workload API gave no usable identity; the present one stays');
    }
  }
}

function isSame(one: MeshIdentity, other: MeshIdentity | undefined): boolean {
  return (
    one.certificateChainPem === other?.certificateChainPem &&
    one.privateKeyPem === other.privateKeyPem &&
    one.trustBundlePem === other.trustBundlePem
  );
}
