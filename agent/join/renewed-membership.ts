import type { HttpClient } from '../../api/client/http-client.ts';
import { agentSpiffeId } from '../../api/meta/well-known.ts';
import { backoffMs } from '../../kit/backoff.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { Random } from '../../kit/random.ts';
import { renewAfterMs } from '../identity/renewal.ts';
import { type Membership, MembershipFolder } from './membership.ts';
import { requestCertificate } from './request-certificate.ts';

export interface RenewedMembershipOptions {
  readonly stateFolder: string;
  readonly membership: Membership;
  readonly certificateTtlSeconds: number;
  /** With the present credentials. */
  readonly client: Pick<HttpClient, 'request'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Everyone who shows the certificate, or verifies by the CA, takes the new one. */
  readonly onRenewed: (membership: Membership) => void;
}

const RETRY = { baseMs: 1000, maxMs: 60_000, jitter: 0.3 };

/** Keeps a node's certificate fresh until it is closed: the join token is not needed again. */
export class RenewedMembership {
  readonly #options: RenewedMembershipOptions;
  readonly #abort = new AbortController();
  readonly #running: Promise<void>;
  #wake = new AbortController();

  constructor(options: RenewedMembershipOptions) {
    this.#options = options;
    this.#running = this.#keep(options.membership);
  }

  /** At once instead of when its time has come: the CA has changed. */
  renewNow(): void {
    this.#wake.abort(new Error('renew now'));
  }

  async close(): Promise<void> {
    this.#abort.abort(new Error('membership closed'));
    await this.#running;
  }

  async #keep(first: Membership): Promise<void> {
    const { clock, random, log } = this.#options;
    const { signal } = this.#abort;
    let present = first;
    for (let failures = 0; !signal.aborted; ) {
      try {
        const { issuedAtMs, expiresAtMs } = present;
        const waitMs =
          failures === 0
            ? renewAfterMs(issuedAtMs, expiresAtMs, clock.now(), random)
            : backoffMs(failures - 1, RETRY, random);
        await this.#wait(waitMs);
        present = await this.#renew(present);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (failures++ === 0) log.warn({ error }, "cannot renew the node's certificate; trying again");
      }
    }
  }

  /** Until then, or until someone asks for it sooner. Rejects when closed. */
  async #wait(waitMs: number): Promise<void> {
    const { signal: stop } = this.#abort;
    const { signal: wake } = this.#wake;
    await this.#options.clock.sleep(waitMs, AbortSignal.any([stop, wake])).catch((error: unknown) => {
      if (stop.aborted || !wake.aborted) throw error;
    });
    if (wake.aborted) this.#wake = new AbortController();
  }

  async #renew(present: Membership): Promise<Membership> {
    const { stateFolder, certificateTtlSeconds: ttlSeconds, client, clock, log, onRenewed } = this.#options;
    const { nodeName, trustDomain } = present;
    const folder = new MembershipFolder(stateFolder);
    const { privateKeyPem: keyPem, csrPem } = await folder.pendingKey(agentSpiffeId(trustDomain, nodeName));
    const order = { nodeName, keyPem, csrPem, ttlSeconds, nowMs: clock.now() };
    const renewed = { ...present, ...(await requestCertificate(client, order)) };
    await folder.write(renewed);
    log.info({ node: nodeName, expires: new Date(renewed.expiresAtMs).toISOString() }, "node's certificate renewed");
    onRenewed(renewed);
    return renewed;
  }
}
