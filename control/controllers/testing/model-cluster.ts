import type { Draft } from '../../../api/client/client.ts';
import type { Deployment } from '../../../api/kinds/deployment.ts';
import { type Pod, podKind } from '../../../api/kinds/pod.ts';
import { type ReplicaSet, replicaSetKind } from '../../../api/kinds/replica-set.ts';
import { timestamp } from '../../../kit/clock.ts';
import { type Random, randomInt } from '../../../kit/random.ts';
import { afterCreate, decideDeployment } from '../deployment/decide.ts';
import { REVISION } from '../deployment/revision.ts';
import { isControlledBy } from '../owner.ts';
import { isActive, isAvailable, isReady } from '../pod-state.ts';
import { decideReplicaSet } from '../replicaset/decide.ts';
import { observedStatus } from '../replicaset/status.ts';
import { stored } from './objects.ts';

/**
 * One Deployment, its ReplicaSets and pods, moved by the real deciders in any order that chance brings: the two
 * controllers see each other's work late, pods become ready or unready when they like, and time passes.
 */
export class ModelCluster {
  deployment: Deployment;
  readonly replicaSets = new Map<string, ReplicaSet>();
  readonly pods = new Map<string, Pod>();
  nowMs: number = Date.UTC(2030, 0, 1);
  /** How many available pods broke by themselves. */
  broken = 0;
  /** How many available pods may break; 0 for a world where everything works. */
  readonly #breakages: number;
  readonly #random: Random;
  #uid = 0;

  constructor(deployment: Deployment, random: Random, breakages: number) {
    this.deployment = deployment;
    this.#random = random;
    this.#breakages = breakages;
  }

  get available(): number {
    const { minReadySeconds = 0 } = this.deployment.spec;
    return this.activePods.filter((pod) => isAvailable(pod, minReadySeconds, this.nowMs)).length;
  }

  get activePods(): readonly Pod[] {
    return [...this.pods.values()].filter(isActive);
  }

  /** Changes what the Deployment is to be. */
  change(spec: Partial<Deployment['spec']>): void {
    const generation = (this.deployment.metadata.generation ?? 0) + 1;
    this.deployment = {
      ...this.deployment,
      metadata: { ...this.deployment.metadata, generation },
      spec: { ...this.deployment.spec, ...spec },
    };
  }

  /** One thing happens, whatever it is. */
  step(): void {
    const steps = [
      () => this.runDeployment(),
      () => this.#runAnyReplicaSet(),
      () => this.#runAnyReplicaSet(),
      () => this.#makeAnyPodReady(),
      () => this.#endAnyPod(),
      () => this.#breakAnyPod(),
      () => void (this.nowMs += 1000 * randomInt(this.#random, 4)),
    ];
    steps[randomInt(this.#random, steps.length)]?.();
  }

  /** Everything happens, fairly, until nothing changes any more or `rounds` are over. Gives whether it came to rest. */
  settle(rounds: number): boolean {
    let unchanged = 0;
    for (let round = 0; round < rounds; round++) {
      const before = this.#text();
      this.runDeployment();
      for (const { metadata } of this.replicaSets.values()) this.#runReplicaSet(metadata.uid);
      for (const pod of this.activePods) if (!isReady(pod)) this.#setReady(pod, 'True');
      for (const pod of this.pods.values()) if (!isActive(pod)) this.pods.delete(pod.metadata.uid);
      this.nowMs += 60_000;
      unchanged = this.#text() === before ? unchanged + 1 : 0;
      // Twice, because time that passes at the end of a round is seen in the next.
      if (unchanged === 2) return true;
    }
    return false;
  }

  runDeployment(): void {
    const now = timestamp(this.nowMs);
    const replicaSets = [...this.replicaSets.values()];
    const snapshot = { deployment: this.deployment, replicaSets, pods: [...this.pods.values()] };
    const plan = decideDeployment(snapshot, this.nowMs, now);
    let { status } = plan;
    if (plan.create !== undefined) {
      const made = this.#storeReplicaSet(plan.create.draft);
      status = afterCreate(plan, this.deployment, made.metadata.name, now);
    }
    for (const { replicaSet } of plan.updates) {
      const { metadata, spec } = replicaSet;
      const generation = (metadata.generation ?? 0) + 1;
      this.replicaSets.set(metadata.uid, { ...replicaSet, spec, metadata: { ...metadata, generation } });
    }
    for (const { metadata } of plan.deletes) this.replicaSets.delete(metadata.uid);
    const annotations = { ...this.deployment.metadata.annotations };
    if (plan.revision !== undefined) annotations[REVISION] = plan.revision;
    this.deployment = { ...this.deployment, metadata: { ...this.deployment.metadata, annotations }, status };
  }

  #runAnyReplicaSet(): void {
    const uid = this.#any([...this.replicaSets.keys()]);
    if (uid !== undefined) this.#runReplicaSet(uid);
  }

  /** The ReplicaSet's controller writes first what it sees and then does what is to be done, as the real one does. */
  #runReplicaSet(uid: string): void {
    const replicaSet = this.replicaSets.get(uid);
    if (replicaSet === undefined) return;
    const pods = [...this.pods.values()].filter((pod) => isControlledBy(pod, replicaSet));
    const active = pods.filter(isActive);
    const snapshot = { replicaSet, pods, related: this.activePods, isCurrent: true };
    const plan = decideReplicaSet(snapshot, this.nowMs, this.#random);
    const seen = { replicaSet, active, failure: undefined, nowMs: this.nowMs, now: timestamp(this.nowMs) };
    this.replicaSets.set(uid, { ...replicaSet, status: observedStatus(seen) });
    for (const draft of plan.creates) this.#storePod(draft);
    for (const pod of plan.deletes) {
      const metadata = { ...pod.metadata, deletionTimestamp: timestamp(this.nowMs + 30_000) };
      this.pods.set(pod.metadata.uid, { ...pod, metadata });
    }
  }

  #makeAnyPodReady(): void {
    const pod = this.#any(this.activePods.filter((each) => !isReady(each)));
    if (pod !== undefined) this.#setReady(pod, 'True');
  }

  #endAnyPod(): void {
    const pod = this.#any([...this.pods.values()].filter((each) => !isActive(each)));
    if (pod !== undefined) this.pods.delete(pod.metadata.uid);
  }

  #breakAnyPod(): void {
    const { minReadySeconds = 0 } = this.deployment.spec;
    const pod = this.#any(this.activePods.filter((each) => isAvailable(each, minReadySeconds, this.nowMs)));
    if (pod === undefined || this.broken >= this.#breakages) return;
    this.broken++;
    this.#setReady(pod, 'False');
  }

  #setReady(pod: Pod, status: 'True' | 'False'): void {
    const lastTransitionTime = timestamp(this.nowMs);
    const conditions = [{ type: 'Ready', status, lastTransitionTime }];
    this.pods.set(pod.metadata.uid, { ...pod, status: { ...pod.status, phase: 'Running', conditions } });
  }

  #storeReplicaSet({ metadata, spec }: Draft<ReplicaSet>): ReplicaSet {
    const name = metadata.name ?? '';
    const made = stored(replicaSetKind, name, {
      metadata: { ...metadata, generation: 1, uid: this.#nextUid(), creationTimestamp: timestamp(this.nowMs) },
      spec,
    });
    this.replicaSets.set(made.metadata.uid, made);
    return made;
  }

  #storePod({ metadata, spec }: Draft<Pod>): void {
    const uid = this.#nextUid();
    const creationTimestamp = timestamp(this.nowMs);
    const bound = { ...spec, nodeName: `node-${randomInt(this.#random, 3)}` };
    const pod = stored(podKind, metadata.name ?? '', {
      metadata: { ...metadata, uid, creationTimestamp },
      spec: bound,
    });
    this.pods.set(uid, pod);
  }

  #nextUid(): string {
    return `uid-${++this.#uid}`;
  }

  #any<T>(choices: readonly T[]): T | undefined {
    return choices[randomInt(this.#random, choices.length)];
  }

  #text(): string {
    return JSON.stringify([this.deployment, [...this.replicaSets.values()], [...this.pods.values()]]);
  }
}
