import { IdentitySource } from '../../certs/workload/identity-source.ts';
import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';
import { svidClient } from '../../certs/workload/svid-client.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { Random } from '../../kit/random.ts';
import { TokenFile } from './token-file.ts';
import type { TokenIssuer, TokenOrder } from './token-issuer.ts';

export interface WorkloadIdentityOptions {
  readonly spiffeId: string;
  /** Where the token lies (0600). */
  readonly tokenFile: string;
  readonly order: TokenOrder;
  readonly api: { readonly server: string; readonly caFile: string };
  readonly svidTtlSeconds?: number;
  /** agent: this process asks for the SVID and hands it out. proxy: the proxy asks by itself, and only the token is kept here. */
  readonly asker: 'agent' | 'proxy';
  /** What the agent has followed of the control plane's CA. */
  readonly generation: () => number;
  readonly issue: TokenIssuer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/**
 * Who one pod is, or the ingress: the token of its service account, and the SVID that the control plane gives for it. The agent makes
 * the key; the Workload API hands both to the pod's processes.
 */
export class WorkloadIdentity {
  readonly spiffeId: string;
  readonly tokenFile: string;
  readonly #asker: 'agent' | 'proxy';
  readonly #token: TokenFile;
  readonly #source: IdentitySource;
  readonly #listeners = new Set<(identity: MeshIdentity) => void>();
  readonly #closed = new AbortController();
  #starting: Promise<void> | undefined;
  #obtainedUnder = 0;
  #generation = 0;

  constructor(options: WorkloadIdentityOptions) {
    const { spiffeId, tokenFile, order, api, svidTtlSeconds, asker, issue, clock, random, log } = options;
    const obtain = svidClient({
      ...api,
      tokenFile,
      ...(svidTtlSeconds === undefined ? {} : { ttlSeconds: svidTtlSeconds }),
    });
    this.spiffeId = spiffeId;
    this.tokenFile = tokenFile;
    this.#asker = asker;
    this.#token = new TokenFile({ path: tokenFile, order, issue, clock, random, log });
    this.#source = new IdentitySource({
      obtain: async (csrPem, signal) => {
        // What is answered is of this generation at least: the control plane is ahead of those that follow it.
        const generation = options.generation();
        const svid = await obtain(csrPem, signal);
        this.#obtainedUnder = generation;
        return svid;
      },
      spiffeId,
      clock,
      random,
      log,
    });
    this.#source.onChange((identity) => {
      this.#generation = this.#obtainedUnder;
      for (const listener of this.#listeners) listener(identity);
    });
  }

  /** Undefined before the first one is there. */
  get current(): MeshIdentity | undefined {
    return this.#source.identity;
  }

  /** Of the control plane's CA, when the present one was asked for. */
  get generation(): number {
    return this.#generation;
  }

  /** An attempt has failed, and the next is waited for. */
  get isFailing(): boolean {
    return this.#source.isFailing;
  }

  /** Aborts when the identity is no longer anybody's. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  onChange(listener: (identity: MeshIdentity) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Resolves when there is a token; the SVID is asked for until it comes. Throws when no token can be had, and may be called again. */
  async start(): Promise<void> {
    this.#starting ??= this.#begin();
    try {
      await this.#starting;
    } catch (error) {
      this.#starting = undefined;
      throw error;
    }
  }

  /** Starts it, and gives the identity of now as soon as there is one. Rejects when the identity is closed, or the signal aborts. */
  async obtained(signal: AbortSignal): Promise<MeshIdentity> {
    const either = AbortSignal.any([signal, this.#closed.signal]);
    either.throwIfAborted();
    await this.start();
    if (this.current !== undefined) return this.current;
    const there = Promise.withResolvers<MeshIdentity>();
    const end = (): void => there.reject(either.reason);
    const stop = this.onChange((identity) => there.resolve(identity));
    either.addEventListener('abort', end);
    try {
      return await there.promise;
    } finally {
      stop();
      either.removeEventListener('abort', end);
    }
  }

  /** A new SVID now, because what it is signed with or verified by has changed. Only for one that has been started. */
  async renew(): Promise<void> {
    if (this.#starting === undefined || this.#asker === 'proxy' || this.#closed.signal.aborted) return;
    await this.#starting.then(() => this.#source.rotateNow()).catch(() => undefined);
  }

  /** The next attempt now, when the last has failed. */
  async retry(): Promise<void> {
    if (this.isFailing && !this.#closed.signal.aborted) await this.#source.rotateNow().catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#closed.abort(new Error(`identity "${this.spiffeId}" is closed`));
    this.#source.close();
    await this.#token.close();
  }

  async #begin(): Promise<void> {
    await this.#token.start();
    if (this.#asker === 'agent' && !this.#closed.signal.aborted) this.#source.start().catch(() => undefined);
  }
}
