import { join } from 'node:path';
import type { Client } from '../../api/client/client.ts';
import type { Informer } from '../../api/client/informer.ts';
import { trustInformer } from '../../api/client/trust-informer.ts';
import type { ConfigMap } from '../../api/kinds/config-map.ts';
import { readTrustState } from '../../api/trust/trust-bundle.ts';
import type { Clock } from '../../kit/clock.ts';
import { writeFileAtomic } from '../../kit/disk.ts';
import type { Logger } from '../../kit/log.ts';
import type { Random } from '../../kit/random.ts';
import type { WorkloadIdentity } from './workload-identity.ts';

export interface TrustFollowerOptions {
  readonly client: Client;
  /** Gets the roots by which the API server is verified. */
  readonly caFile: string;
  readonly identities: () => readonly WorkloadIdentity[];
  /** The agent's own credentials are to be read anew. */
  readonly onTrust: (bundlePem: string) => Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Where an agent keeps the roots of its control plane. */
export function caFileOf(agentFolder: string): string {
  return join(agentFolder, 'ca.crt');
}

// A hundred pods of a node come over within a second or two, and the API server has others to serve.
const RENEWED_AT_ONCE = 8;

/** Follows the control plane's CA: with each generation the agent's own credentials and every identity of the node are made anew. */
export class TrustFollower {
  readonly #options: TrustFollowerOptions;
  readonly #informer: Informer<ConfigMap>;
  #generation = 0;
  #work: Promise<void> = Promise.resolve();

  constructor(options: TrustFollowerOptions) {
    this.#options = options;
    const { log } = options;
    const see = (map: ConfigMap): void => {
      this.#work = this.#work
        .then(() => this.#follow(map))
        .catch((error: unknown) => {
          log.error({ error }, "cannot follow the control plane's CA");
        });
    };
    this.#informer = trustInformer(options, see);
  }

  /** What has been followed; 0 before anything is known. */
  get generation(): number {
    return this.#generation;
  }

  /** Resolves when what there is has been followed. */
  async synced(): Promise<void> {
    await this.#informer.synced;
    await this.#work;
  }

  async close(): Promise<void> {
    await this.#informer.close();
    await this.#work;
  }

  async #follow(map: ConfigMap): Promise<void> {
    const generation = readTrustState(map)?.generation ?? 0;
    const bundlePem = map.data?.['ca.crt'];
    if (generation <= this.#generation || bundlePem === undefined) return;
    const { caFile, onTrust, identities } = this.#options;
    await writeFileAtomic(caFile, bundlePem);
    await onTrust(bundlePem);
    this.#generation = generation;
    const behind = identities().filter((identity) => identity.generation < generation);
    const renewNext = async (): Promise<void> => {
      for (let next = behind.pop(); next !== undefined; next = behind.pop()) {
        await next.renew();
        // It may have joined an attempt that began under the generation before.
        if (next.generation < generation) await next.renew();
      }
    };
    await Promise.all(Array.from({ length: RENEWED_AT_ONCE }, renewNext));
  }
}
