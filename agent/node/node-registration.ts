import type { Client } from '../../api/client/client.ts';
import { leaseKind } from '../../api/kinds/lease.ts';
import { type Node, nodeKind } from '../../api/kinds/node.ts';
import { hasCode } from '../../api/meta/api-error.ts';
import { backoffMs } from '../../kit/backoff.ts';
import { type Clock, microTimestamp, timestamp } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { Random } from '../../kit/random.ts';
import { type NodeFacts, nodeLabels, nodeStatus } from './node-object.ts';

export interface NodeRegistrationOptions {
  readonly facts: NodeFacts;
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

const LEASE_NAMESPACE = 'kube-node-lease';
/** So often that a node that falls silent is noticed, and its pods replaced, within 10 s (the kubelet: 10 s of 40). */
const RENEW_EVERY_MS = 1000;
const LEASE_SECONDS = 7;
/** Conditions carry a heartbeat too, for people; the lease is what counts (the kubelet's nodeStatusReportFrequency is 5 min). */
const STATUS_EVERY_MS = 60_000;
const RETRY = { baseMs: 200, maxMs: 1000, jitter: 0.3 };

/** Keeps this machine known to the API server: its Node, the Node's status, and the lease that says that it lives. */
export class NodeRegistration {
  readonly #options: NodeRegistrationOptions;
  readonly #abort = new AbortController();
  readonly #range = Promise.withResolvers<string>();
  #running: Promise<void> = Promise.resolve();
  #node: Node | undefined;

  constructor(options: NodeRegistrationOptions) {
    this.#options = options;
    // Whoever needs no range does not hear that there will be none.
    this.#range.promise.catch(() => undefined);
  }

  get node(): Node | undefined {
    return this.#node;
  }

  start(): void {
    this.#running = this.#keep();
  }

  /** The range of the node's pods: resolves when the API server has given it. */
  podRange(): Promise<string> {
    return this.#range.promise;
  }

  async close(): Promise<void> {
    this.#abort.abort(new Error('registration closed'));
    this.#range.reject(new Error('the agent stops'));
    await this.#running;
  }

  async #keep(): Promise<void> {
    const { clock, random, log } = this.#options;
    const { signal } = this.#abort;
    let statusAtMs = 0;
    for (let failures = 0; !signal.aborted; ) {
      try {
        if (clock.monotonic() >= statusAtMs) {
          await this.#register();
          statusAtMs = clock.monotonic() + STATUS_EVERY_MS;
        }
        if (!(await this.#renewLease())) statusAtMs = 0;
        failures = 0;
        await clock.sleep(RENEW_EVERY_MS, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (failures === 0) log.warn({ error }, 'cannot tell the API server of this node; trying again');
        await clock.sleep(backoffMs(failures++, RETRY, random), signal).catch(() => undefined);
      }
    }
  }

  async #register(): Promise<void> {
    const { client, clock, facts } = this.#options;
    const { name } = facts;
    const labels = nodeLabels(facts);
    let node = await this.#createOrGet(name, labels);
    const isLabelled = Object.entries(labels).every(([key, value]) => node.metadata.labels?.[key] === value);
    if (!isLabelled) node = await client.patch(nodeKind, { name }, { metadata: { labels } }, { type: 'merge' });
    const status = nodeStatus(facts, node.status.conditions ?? [], timestamp(clock.now()));
    this.#node = await client.patch(nodeKind, { name }, { status }, { type: 'strategic', subresource: 'status' });
    if (this.#node.spec.podCIDR !== undefined) this.#range.resolve(this.#node.spec.podCIDR);
  }

  async #createOrGet(name: string, labels: Record<string, string>): Promise<Node> {
    const { client } = this.#options;
    try {
      return await client.get(nodeKind, { name });
    } catch (error) {
      if (!hasCode(error, 404)) throw error;
    }
    return client.create(nodeKind, { metadata: { name, labels }, spec: {} });
  }

  /** False when the Node must be looked at again: it has lost its lease, as a deleted Node does, or is Ready no more. */
  async #renewLease(): Promise<boolean> {
    const { client, clock, facts } = this.#options;
    const renewTime = microTimestamp(clock.now());
    const ref = { namespace: LEASE_NAMESPACE, name: facts.name };
    try {
      await client.patch(leaseKind, ref, { spec: { renewTime } }, { type: 'merge' });
      return true;
    } catch (error) {
      if (!hasCode(error, 404)) throw error;
    }
    const owner = this.#node?.metadata.uid;
    await client.create(leaseKind, {
      metadata: {
        ...ref,
        ...(owner === undefined
          ? {}
          : { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: facts.name, uid: owner }] }),
      },
      spec: { holderIdentity: facts.name, leaseDurationSeconds: LEASE_SECONDS, renewTime },
    });
    return owner !== undefined;
  }
}
