import { Client, type ClientReadableStream, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { type Backoff, backoffMs } from '../../../kit/backoff.ts';
import type { Clock } from '../../../kit/clock.ts';
import type { Logger } from '../../../kit/log.ts';
import type { Random } from '../../../kit/random.ts';
import { acceptSvid } from '../accept-svid.ts';
import type { MeshIdentity } from '../mesh-identity.ts';
import { pemOfDerList } from './der-list.ts';
import type { X509SvidResponse } from './messages.ts';
import { SECURITY_HEADER, WorkloadApi } from './methods.ts';

export interface WorkloadApiSourceOptions {
  /** `unix:///path/of/the/socket` */
  readonly address: string;
  readonly spiffeId: string;
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
  #stream: ClientReadableStream<X509SvidResponse> | undefined;
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
    this.#stream?.cancel();
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

  /** One stream, from its connection to its end. */
  async #follow(): Promise<void> {
    const { address, log } = this.#options;
    const client = new Client(address, credentials.createInsecure(), {
      'grpc.enable_channelz': 0,
      'grpc.enable_http_proxy': 0,
      'grpc.enable_retries': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc.use_local_subchannel_pool': 1,
    });
    const metadata = new Metadata();
    metadata.set(SECURITY_HEADER, 'true');
    const { path, requestSerialize, responseDeserialize } = WorkloadApi.fetchX509Svid;
    const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {}, metadata);
    this.#stream = stream;
    stream.on('data', (response: X509SvidResponse) => this.#receive(response));
    const error = await new Promise<ServiceError | undefined>((resolve) => {
      stream.on('error', resolve);
      stream.on('end', () => resolve(undefined));
    });
    this.#stream = undefined;
    client.close();
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
