import type { Client } from '../../api/client/client.ts';
import type { HttpClient } from '../../api/client/http-client.ts';
import { nodeKind } from '../../api/kinds/node.ts';
import {
  CARRIED_IDENTITIES,
  type CarriedIdentities,
  type CarriedIdentity,
} from '../../api/trust/carried-identities.ts';
import { shownCertificate } from '../../certs/workload/shown-certificate.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import { withTimeLimit } from '../probes/time-limit.ts';
import type { WorkloadIdentity } from './workload-identity.ts';

/** An identity of this node, and the proxy that shows it to others. */
export interface IdentityHolder {
  /** `pod/<namespace>/<name>` or `ingress`. */
  readonly name: string;
  readonly identity: WorkloadIdentity;
  /** The serial number of the certificate that the proxy uses now; missing where there is no proxy. */
  readonly usedSerial?: (signal: AbortSignal) => Promise<string | undefined>;
}

export interface IdentityKeeperOptions {
  readonly client: Pick<HttpClient, 'request'> & Client;
  readonly nodeName: string;
  readonly holders: () => readonly IdentityHolder[];
  readonly generation: () => number;
  /** The agent's own certificate. */
  readonly servingPem: () => string;
  readonly clock: Clock;
  readonly log: Logger;
}

const LOOK_EVERY_MS = 2000;
/** While something is under way: a rotation is followed closely, and an API server that comes back is seen at once. */
const LOOK_SOON_MS = 250;
const ASK_LIMIT_MS = 1000;
/** Somebody may have made the Node anew, without what was told there. */
const TELL_AGAIN_MS = 60_000;

/** Tells on the Node who runs here by which certificate, and has failed identities tried again as soon as the API server is back. */
export class IdentityKeeper {
  readonly #options: IdentityKeeperOptions;
  readonly #abort = new AbortController();
  readonly #confirmed = new Map<WorkloadIdentity, { readonly serial: string; readonly generation: number }>();
  readonly #running: Promise<void>;
  #told = '';
  #toldAtMs = 0;

  constructor(options: IdentityKeeperOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#abort.abort(new Error('identity keeper closed'));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#abort;
    for (let failures = 0; !signal.aborted; ) {
      let isSettled = false;
      try {
        const isRetried = await this.#retryFailed();
        const isCarried = await this.#tell();
        isSettled = isCarried && !isRetried;
        failures = 0;
      } catch (error) {
        if (!signal.aborted && failures++ === 0) log.debug({ error }, 'cannot tell of the identities of this node');
      }
      await clock.sleep(isSettled ? LOOK_EVERY_MS : LOOK_SOON_MS, signal).catch(() => undefined);
    }
  }

  /** True while some have failed. One question for all of them: a hundred pods need not each try a server that is away. */
  async #retryFailed(): Promise<boolean> {
    const { client, holders } = this.#options;
    const failing = holders().filter(({ identity }) => identity.isFailing);
    if (failing.length === 0) return false;
    const isBack = await this.#limited((signal) => client.request('GET', '/version', { signal })).then(
      () => true,
      (error: unknown) => isAnswer(error),
    );
    if (isBack) await Promise.all(failing.map(({ identity }) => identity.retry()));
    return true;
  }

  /** True when every proxy uses what its pod was given. */
  async #tell(): Promise<boolean> {
    const { client, nodeName, holders, generation, servingPem, clock } = this.#options;
    const present = holders();
    for (const known of this.#confirmed.keys()) {
      if (!present.some(({ identity }) => identity === known)) this.#confirmed.delete(known);
    }
    const entries = await Promise.all(present.map((holder) => this.#carried(holder)));
    const carried: CarriedIdentities = {
      generation: generation(),
      agent: shownCertificate(servingPem()),
      identities: entries.flatMap(({ entry }) => entry ?? []).sort((one, other) => (one.name < other.name ? -1 : 1)),
    };
    const text = JSON.stringify(carried);
    if (text !== this.#told || clock.monotonic() - this.#toldAtMs > TELL_AGAIN_MS) {
      const metadata = { annotations: { [CARRIED_IDENTITIES]: text } };
      await client.patch(nodeKind, { name: nodeName }, { metadata }, { type: 'merge' });
      this.#told = text;
      this.#toldAtMs = clock.monotonic();
    }
    return entries.every(({ isUsed }) => isUsed);
  }

  async #carried({
    name,
    identity,
    usedSerial,
  }: IdentityHolder): Promise<{ entry?: CarriedIdentity; isUsed: boolean }> {
    const { current, generation } = identity;
    if (current === undefined) {
      if (usedSerial === undefined) return { isUsed: true };
      // It has none yet, or asks for its own where there is no Workload API: a rotation of the root must wait for it.
      const unknown = { spiffeId: identity.spiffeId, serial: '', issuer: '', notAfter: '' };
      return { entry: { ...unknown, name, generation: 0, isProxy: true }, isUsed: true };
    }
    const shown = shownCertificate(current.certificateChainPem);
    if (usedSerial === undefined) return { entry: { ...shown, name, generation, isProxy: false }, isUsed: true };
    if (this.#confirmed.get(identity)?.serial !== shown.serial) {
      const used = await this.#limited(usedSerial).catch(() => undefined);
      if (used?.toUpperCase() === shown.serial) this.#confirmed.set(identity, { serial: shown.serial, generation });
    }
    const confirmed = this.#confirmed.get(identity);
    const entry = { ...shown, name, generation: confirmed?.generation ?? 0, isProxy: true };
    return { entry, isUsed: confirmed?.serial === shown.serial };
  }

  #limited<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return withTimeLimit(this.#options.clock, ASK_LIMIT_MS, ask);
  }
}

/** The server is there, whatever it says. */
function isAnswer(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'number' && code !== 503;
}
