import type { Client } from '../../../api/client/client.ts';
import { Informer } from '../../../api/client/informer.ts';
import { leaseKind } from '../../../api/kinds/lease.ts';
import { nodeKind } from '../../../api/kinds/node.ts';
import { type Pod, podKind } from '../../../api/kinds/pod.ts';
import { hasCode } from '../../../api/meta/api-error.ts';
import { microTimestamp, timestamp } from '../../../kit/clock.ts';
import { FakeClock } from '../../../kit/fake-clock.ts';
import { type Logger, silentLog } from '../../../kit/log.ts';
import { type Random, seededRandom } from '../../../kit/random.ts';
import { startScheduler } from '../../scheduler/run.ts';
import { Admission } from '../../server/admission/admission.ts';
import { Allocator } from '../../server/admission/allocator.ts';
import { makeFirstObjects } from '../../server/first-objects.ts';
import { LocalClient } from '../../server/local-client.ts';
import { LiveKinds } from '../../server/verbs/live-kinds.ts';
import { StoredObjects } from '../../server/verbs/stored-objects.ts';
import { plainValues } from '../../server/verbs/value-codec.ts';
import { openMemoryStore } from '../../store/memory/memory-store.ts';
import type { Running } from '../controller.ts';
import { type Controllers, startControllers } from '../run-all.ts';
import type { InformerSource } from '../shared-informers.ts';
import { hearingLate } from './late-watch.ts';
import { node } from './objects.ts';

const STEP_MS = 50;

export interface MemoryClusterOptions {
  readonly seed?: number;
  /** How late the control plane hears of changes; at once unless told. */
  readonly watchDelayMs?: number;
}

/** A whole control plane in memory on a clock that the test moves, with agents that only say that pods run. */
export class MemoryCluster {
  readonly clock = new FakeClock();
  readonly client: Client;
  readonly #source: { client: Client; clock: FakeClock; random: Random; log: Logger };
  readonly #control: InformerSource;
  #controllers: Controllers;
  #scheduler: Running;
  readonly #agents: ModelAgent[] = [];

  static async start(options: MemoryClusterOptions = {}): Promise<MemoryCluster> {
    const cluster = new MemoryCluster(options);
    await makeFirstObjects(cluster.client);
    return cluster;
  }

  private constructor({ seed = 1, watchDelayMs = 0 }: MemoryClusterOptions) {
    const random = seededRandom(seed);
    const objects = new StoredObjects(openMemoryStore({ clock: this.clock }), plainValues);
    const admission = new Admission({ allocator: new Allocator(objects, random) });
    this.client = new LocalClient({ objects, live: new LiveKinds([]), admission, clock: this.clock });
    this.#source = { client: this.client, clock: this.clock, random, log: silentLog() };
    this.#control = {
      ...this.#source,
      client: watchDelayMs === 0 ? this.client : hearingLate(this.client, this.clock, watchDelayMs),
    };
    this.#controllers = startControllers(this.#control);
    this.#scheduler = startScheduler({ ...this.#control, ...this.#controllers });
  }

  async addNode(name: string, allocatable: Record<string, string> = { cpu: '4', memory: '8Gi' }): Promise<ModelAgent> {
    const { apiVersion: _a, kind: _k, metadata: _m, ...said } = node(name, { status: { allocatable } });
    await this.client.create(nodeKind, { metadata: { name }, ...said });
    const agent = new ModelAgent(name, this.#source);
    this.#agents.push(agent);
    return agent;
  }

  /** Moves time until `look` gives something; fails when it does not within `withinMs` of the clock's time. */
  async until<T>(what: string, look: () => Promise<T | undefined | false>, withinMs = 60_000): Promise<T> {
    for (let passed = 0; passed <= withinMs; passed += STEP_MS) {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      await this.clock.advance(STEP_MS);
    }
    throw new Error(`not seen within ${withinMs} ms: ${what}`);
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) await this.clock.advance(STEP_MS);
  }

  /** The control plane ends, and another one begins on the same store. */
  async restart(): Promise<void> {
    await this.#scheduler.close();
    await this.#controllers.close();
    this.#controllers = startControllers(this.#control);
    this.#scheduler = startScheduler({ ...this.#control, ...this.#controllers });
  }

  async close(): Promise<void> {
    await this.#scheduler.close();
    await this.#controllers.close();
    for (const agent of this.#agents) await agent.close();
  }
}

const READY_AFTER_MS = 200;
const ENDED_AFTER_MS = 300;
const RENEW_EVERY_MS = 2000;

/** An agent to the API: it renews its lease, says of its pods that they are ready after a while, and lets them end. */
class ModelAgent {
  /** It says nothing and does nothing any more, as if its machine were gone. */
  isSilent = false;
  /** Pods for which this is true never become ready. */
  isBroken: (pod: Pod) => boolean = () => false;
  readonly #name: string;
  readonly #client: Client;
  readonly #clock: FakeClock;
  readonly #pods: Informer<Pod>;
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;

  constructor(name: string, source: { client: Client; clock: FakeClock; random: Random; log: Logger }) {
    this.#name = name;
    this.#client = source.client;
    this.#clock = source.clock;
    const fieldSelector = `spec.nodeName=${name}`;
    this.#pods = new Informer({ ...source, kind: podKind, fieldSelector });
    this.#pods.subscribe({
      onAdd: (pod) => void this.#after(READY_AFTER_MS, () => this.#sayReady(pod)),
      onUpdate: (pod, old) => {
        const ends = pod.metadata.deletionTimestamp !== undefined && old.metadata.deletionTimestamp === undefined;
        if (ends) void this.#after(ENDED_AFTER_MS, () => this.#sayEnded(pod));
      },
    });
    this.#done = this.#renew();
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#done;
    await this.#pods.close();
  }

  async #renew(): Promise<void> {
    const { signal } = this.#abort;
    const ref = { name: this.#name, namespace: 'kube-node-lease' };
    await this.#client.create(leaseKind, { metadata: ref, spec: { holderIdentity: this.#name } });
    while (!signal.aborted) {
      const spec = { renewTime: microTimestamp(this.#clock.now()) };
      if (!this.isSilent) await this.#client.patch(leaseKind, ref, { spec }, { type: 'merge' });
      await this.#clock.sleep(RENEW_EVERY_MS, signal).catch(() => {});
    }
  }

  async #after(ms: number, work: () => Promise<void>): Promise<void> {
    await this.#clock.sleep(ms, this.#abort.signal).catch(() => {});
    if (this.#abort.signal.aborted || this.isSilent) return;
    try {
      await work();
    } catch (error) {
      if (!hasCode(error, 404) && !hasCode(error, 409)) throw error;
    }
  }

  async #sayReady(pod: Pod): Promise<void> {
    if (this.isBroken(pod)) return;
    const { namespace = '', name } = pod.metadata;
    const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: timestamp(this.#clock.now()) }];
    const status = { phase: 'Running', podIP: '127.64.0.9', podIPs: [{ ip: '127.64.0.9' }], conditions };
    await this.#client.patch(podKind, { namespace, name }, { status }, { type: 'merge', subresource: 'status' });
  }

  async #sayEnded(pod: Pod): Promise<void> {
    const { namespace = '', name, uid } = pod.metadata;
    await this.#client.delete(podKind, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
  }
}
