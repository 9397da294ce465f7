import type { Client } from '../../api/client/client.ts';
import type { Informer } from '../../api/client/informer.ts';
import { trustInformer } from '../../api/client/trust-informer.ts';
import { type ConfigMap, configMapKind } from '../../api/kinds/config-map.ts';
import { nodeKind } from '../../api/kinds/node.ts';
import { hasCode } from '../../api/meta/api-error.ts';
import { carryingOf } from '../../api/trust/carried-identities.ts';
import {
  readTrustRequest,
  readTrustState,
  TRUST_BUNDLE,
  type TrustRequest,
  type TrustState,
  trustData,
} from '../../api/trust/trust-bundle.ts';
import type { Authority } from '../../certs/authority/authority.ts';
import { RotationRefusedError } from '../../certs/authority/refusal.ts';
import { shownCertificate } from '../../certs/workload/shown-certificate.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { Random } from '../../kit/random.ts';
import { refusalOfStep } from './decide.ts';

export interface TrustKeeperOptions {
  readonly client: Client;
  readonly authority: Authority;
  /** Everything that the control plane itself shows or verifies by is made anew; before agents hear of it. */
  readonly reissue: () => Promise<void>;
  /** The control plane's own chain. */
  readonly ownChainPem: () => string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Publishes the CA's roots and the stage of their rotation, and takes the steps that are asked for, one at a time. */
export class TrustKeeper {
  readonly #options: TrustKeeperOptions;
  readonly #informer: Informer<ConfigMap>;
  #work: Promise<void> = Promise.resolve();
  #done: string | undefined;

  private constructor(options: TrustKeeperOptions) {
    this.#options = options;
    this.#informer = trustInformer(options, (map) => this.#see(map));
  }

  /** Publishes what the authority's folder says; agents hear of it if it is news. */
  static async start(options: TrustKeeperOptions): Promise<TrustKeeper> {
    const { client, authority } = options;
    const present = await client.get(configMapKind, TRUST_BUNDLE).catch((error: unknown) => {
      if (!hasCode(error, 404)) throw error;
      return undefined;
    });
    const state = present === undefined ? undefined : readTrustState(present);
    const isSame = state?.stage === authority.stage && present?.data?.['ca.crt'] === authority.trustBundlePem;
    const { answer } = state ?? {};
    await publish(options, (state?.generation ?? 0) + (isSame ? 0 : 1), answer);
    return new TrustKeeper(options);
  }

  async close(): Promise<void> {
    await this.#informer.close();
    await this.#work;
  }

  #see(map: ConfigMap): void {
    const request = readTrustRequest(map);
    const answered = readTrustState(map)?.answer?.id;
    if (request === undefined || request.id === answered || request.id === this.#done) return;
    this.#done = request.id;
    this.#work = this.#work
      .then(() => this.#answer(request))
      .catch((error: unknown) => {
        this.#options.log.error({ error, step: request.step }, 'a step of the rotation of the CA failed');
      });
  }

  async #answer(request: TrustRequest): Promise<void> {
    const { client, log } = this.#options;
    const state = readTrustState(await client.get(configMapKind, TRUST_BUNDLE));
    const before = state?.generation ?? 0;
    const refusal = await this.#take(request, before);
    const answer = { id: request.id, ok: refusal === undefined, message: refusal ?? '' };
    if (refusal === undefined)
      log.warn({ step: request.step, stage: this.#options.authority.stage }, 'rotation of the CA');
    await publish(this.#options, refusal === undefined ? before + 1 : before, answer);
  }

  /** Undefined when the step was taken. */
  async #take({ step, force }: TrustRequest, generation: number): Promise<string | undefined> {
    const { client, authority, reissue } = this.#options;
    if (!force) {
      const { items } = await client.list(nodeKind);
      const refusal = refusalOfStep(step, carryingOf(items, generation));
      if (refusal !== undefined) return refusal;
    }
    try {
      if (step !== 'renew') await authority.rotateRoot(step);
    } catch (error) {
      if (error instanceof RotationRefusedError) return error.message;
      throw error;
    }
    await reissue();
    return undefined;
  }
}

async function publish(
  { client, authority, ownChainPem }: TrustKeeperOptions,
  generation: number,
  answer: TrustState['answer'],
): Promise<void> {
  const control = shownCertificate(ownChainPem());
  const state: TrustState = {
    stage: authority.stage,
    generation,
    issuer: authority.issuerKeyId,
    control,
    ...(answer === undefined ? {} : { answer }),
  };
  const data = trustData(state, authority.trustBundlePem);
  try {
    await client.patch(configMapKind, TRUST_BUNDLE, { data }, { type: 'merge' });
  } catch (error) {
    if (!hasCode(error, 404)) throw error;
    await client.create(configMapKind, { metadata: { ...TRUST_BUNDLE }, data });
  }
}
