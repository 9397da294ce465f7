import { Informer, objectKey } from '../../api/client/informer.ts';
import { type Pod, podKind } from '../../api/kinds/pod.ts';
import { keyText } from '../runtime/runtime.ts';
import type { AgentContext } from './agent-context.ts';
import { LEAST_GRACE_MS } from './leaving.ts';
import { type PodRecord, readPodRecords } from './pod-record.ts';
import { PodWorker } from './pod-worker.ts';

/** How long a start waits for the API server, so that adopted pods begin with what it knows of them. */
const SYNC_WITHIN_MS = 2000;

/** The pods of this node: one worker each, by uid, from the first sight of the pod until nothing of it is left. */
export class Pods {
  readonly #context: AgentContext;
  readonly #workers = new Map<string, PodWorker>();
  readonly #informer: Informer<Pod>;
  #isStopping = false;
  #onEmpty: () => void = () => undefined;

  constructor(context: AgentContext) {
    this.#context = context;
    const { client, clock, random, log, nodeName } = context;
    this.#informer = new Informer({
      client,
      kind: podKind,
      fieldSelector: `spec.nodeName=${nodeName}`,
      clock,
      random,
      log,
    });
    context.runtime.onExit((key) => this.#workers.get(key.podUid)?.exited(key));
  }

  /** Takes over what an earlier agent left. While the API server is away, pods go on as they were written down. */
  async adopt(): Promise<void> {
    const { clock, podsFolder, runtime, network } = this.#context;
    const records = await readPodRecords(podsFolder);
    await runtime.adopt();
    for (const { placement } of records) network.keep(placement);
    if (records.length > 0) await Promise.race([this.#informer.synced, clock.sleep(SYNC_WITHIN_MS)]);
    for (const record of records) await this.#adopt(record);
  }

  /** Follows the API server's pods of this node. Those that it does not have any more are stopped when it answers. */
  follow(): void {
    this.#informer.subscribe({
      onAdd: (pod) => this.#see(pod),
      onUpdate: (pod) => this.#see(pod),
      onDelete: (pod) => this.#workers.get(pod.metadata.uid)?.objectGone(LEAST_GRACE_MS),
    });
    this.#informer.synced.then(() => this.#leaveUnknown()).catch(() => undefined);
  }

  /** The ids of all runs that are known here, of containers and of sidecars. */
  runIds(): readonly string[] {
    const containers = this.#context.runtime.list().map(({ key }) => keyText(key));
    return [...containers, ...this.list().flatMap(({ sidecarRunId }) => sidecarRunId)];
  }

  find(namespace: string, name: string): PodWorker | undefined {
    return [...this.#workers.values()].find(
      ({ pod: { metadata } }) => metadata.namespace === namespace && metadata.name === name,
    );
  }

  list(): readonly PodWorker[] {
    return [...this.#workers.values()];
  }

  /** Stops all pods and leaves their objects. Resolves when nothing of them is left running. */
  async stopAll(): Promise<void> {
    this.#isStopping = true;
    const empty = new Promise<void>((resolve) => (this.#onEmpty = resolve));
    for (const worker of this.#workers.values()) worker.stop();
    if (this.#workers.size > 0) await empty;
    await this.#informer.close();
  }

  /** Lets go of all pods; they go on. */
  async close(): Promise<void> {
    this.#isStopping = true;
    await this.#informer.close();
    await Promise.all(this.list().map((worker) => worker.close()));
  }

  async #adopt({ pod, placement }: PodRecord): Promise<void> {
    const present = this.#informer.get(objectKey(pod));
    const newest = present?.metadata.uid === pod.metadata.uid ? present : pod;
    await this.#make(newest, { placement }).adopt();
  }

  #see(pod: Pod): void {
    const worker = this.#workers.get(pod.metadata.uid);
    if (worker !== undefined) worker.update(pod);
    else if (!this.#isStopping && !isOver(pod)) this.#make(pod, {}).begin();
  }

  /** Pods that were written down here and that the API server does not have: deleted while nobody was here. */
  #leaveUnknown(): void {
    for (const worker of this.#workers.values()) {
      const present = this.#informer.get(objectKey(worker.pod));
      if (present?.metadata.uid === worker.pod.metadata.uid) continue;
      worker.objectGone(worker.pod.spec.terminationGracePeriodSeconds * 1000);
    }
  }

  #make(pod: Pod, adopted: Pick<Partial<PodRecord>, 'placement'>): PodWorker {
    const { uid } = pod.metadata;
    const worker = new PodWorker({
      context: this.#context,
      pod,
      ...adopted,
      onGone: () => {
        this.#workers.delete(uid);
        if (this.#workers.size === 0) this.#onEmpty();
      },
    });
    this.#workers.set(uid, worker);
    return worker;
  }
}

/** A pod that ended on this node and of which nothing is left, not even its folder: only its object is still there. */
function isOver({ metadata, status }: Pod): boolean {
  return metadata.deletionTimestamp == null && (status.phase === 'Succeeded' || status.phase === 'Failed');
}
