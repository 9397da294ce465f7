import { type Pod, podKind } from '../../api/kinds/pod.ts';
import { hasCode } from '../../api/meta/api-error.ts';
import { isConditionTrue } from '../../api/meta/condition.ts';
import { UNROUTED } from '../../api/meta/well-known.ts';
import type { Timer } from '../../kit/clock.ts';
import { ConfigError } from '../environment/config-error.ts';
import type { WorkloadIdentity } from '../identity/workload-identity.ts';
import type { ContainerKey, ContainerStatus } from '../runtime/runtime.ts';
import type { AgentContext } from './agent-context.ts';
import { type ContainerFacts, haveContainers, haveEnded, initProgress, planContainers } from './container-plan.ts';
import { Containers } from './containers.ts';
import { type Doom, deadlineAtMs, doomBefore, limitedVolumes, mayBeDoomed, overdue, tooLarge } from './doom.ts';
import { Jobs } from './jobs.ts';
import { drainLimitMs, graceOf, type Leaving, restOfGraceMs, UNROUTED_WITHIN_MS } from './leaving.ts';
import { isEnding, nextStage, type PodStage, type StageFacts } from './lifecycle.ts';
import { PodHome } from './pod-home.ts';
import type { PodPlacement } from './pod-record.ts';
import { podStatus } from './pod-status.ts';
import { refusalDelayMs } from './restart.ts';
import { StatusWriter } from './status-writer.ts';

export interface PodWorkerOptions {
  readonly context: AgentContext;
  readonly pod: Pod;
  /** What an earlier agent gave the pod. */
  readonly placement?: PodPlacement;
  /** Nothing of the pod is left here. */
  readonly onGone: () => void;
}

/** For a sidecar to end by itself: it has nothing in flight any more. */
const SIDECAR_GRACE_MS = 5000;
const VOLUMES_RETRY_MS = 10_000;
const SLOW_SIDECAR_MS = 10_000;
/** As often as the kubelet's eviction manager looks (its synchronizePeriod). */
const MEASURE_EVERY_MS = 10_000;
/** Timers hold no more than 24 days: a deadline may be later, and is looked at again. */
const LONGEST_SLEEP_MS = 3_600_000;
/** When the agent stops everything, the control plane may be on its way out too. */
const LAST_STATUS_WITHIN_MS = 2000;

/**
 * Leads one pod through its life: at each turn it gathers what is so, decides the stage and what its containers are to do,
 * begins that beside its turns, and says the status. Everything that changes wakes it for another turn.
 */
export class PodWorker {
  readonly #context: AgentContext;
  readonly #home: PodHome;
  readonly #containers: Containers;
  readonly #jobs: Jobs;
  readonly #status: StatusWriter;
  readonly #onGone: () => void;
  readonly #startTimeMs: number;
  #pod: Pod;
  #stage: PodStage = 'preparing';
  #isPrepared = false;
  /** All of the preparation is done; an adopted pod may go on before. */
  #hasSettledIn = false;
  #prepareFailures = 0;
  #retryAtMs = 0;
  #volumesAtMs: number | undefined;
  /** Rises with each change of what the pod's files are made of. */
  #configChanges = 0;
  #configsWritten = -1;
  #leaving: Leaving | undefined;
  #leavingSinceMs = 0;
  #endingSinceMs: number | undefined;
  #wasReady: boolean;
  #hasDrained = false;
  #joiningSinceMs: number | undefined;
  #hasBegun = false;
  #doom: Doom | undefined;
  #measureAtMs: number | undefined;
  #timer: Timer | undefined;
  readonly #closed = new AbortController();

  constructor({ context, pod, placement, onGone }: PodWorkerOptions) {
    this.#context = context;
    this.#pod = pod;
    this.#onGone = onGone;
    const { name, namespace = '', uid } = pod.metadata;
    this.#startTimeMs = pod.status.startTime === undefined ? context.clock.now() : Date.parse(pod.status.startTime);
    this.#wasReady = isConditionTrue(pod.status.conditions, 'Ready');
    this.#doom = doomBefore(pod);
    if (limitedVolumes(pod).length > 0) this.#measureAtMs = 0;
    this.#jobs = new Jobs(
      () => this.wake(),
      (job, error) => {
        if (this.#closed.signal.aborted) return;
        context.log.error({ error, pod: `${namespace}/${name}`, job }, 'work on a pod failed');
      },
    );
    this.#home = new PodHome({
      context,
      pod,
      ...(placement === undefined ? {} : { placement }),
      onSidecarChange: () => this.wake(),
      onConfigChange: () => {
        this.#configChanges++;
        this.#containers.configChanged();
        this.wake();
      },
    });
    this.#containers = new Containers({
      context,
      home: this.#home,
      jobs: this.#jobs,
      pod: () => this.#pod,
      onChange: () => this.wake(),
    });
    this.#status = new StatusWriter({ ...context, namespace, name, uid });
    this.#noteLeaving(pod);
  }

  get pod(): Pod {
    return this.#pod;
  }

  get identity(): WorkloadIdentity {
    return this.#home.identity;
  }

  get usedSerial(): PodHome['usedSerial'] {
    return this.#home.usedSerial;
  }

  /** Hot restart of the sidecar; undefined where there is none. */
  get restartSidecar(): ((limitMs: number) => Promise<void>) | undefined {
    const restart = this.#home.restartSidecar;
    if (restart === undefined) return undefined;
    const { name, namespace = '', uid } = this.#pod.metadata;
    return async (limitMs) => {
      // Whoever has just annotated it means what it says now, which may not have been heard here yet.
      const stored = await this.#context.client.get(podKind, { namespace, name });
      await restart(stored.metadata.uid === uid ? stored : this.#pod, limitMs);
    };
  }

  get sidecarPid(): number | undefined {
    return this.#home.sidecarPid;
  }

  get sidecarRunId(): readonly string[] {
    return this.#home.sidecarRunId;
  }

  /** The port on the node that stands for each port that the pod's containers declare. */
  get appPorts(): Readonly<Record<string, number>> {
    return this.#home.placement?.appPorts ?? {};
  }

  /** The newest run of a container, or with `back` the one so many before it. */
  run(container: string, back: number): ContainerStatus | undefined {
    return this.#containers.run(container, back);
  }

  begin(): void {
    this.#hasBegun = true;
    this.wake();
  }

  /** Takes over what an earlier agent left running, without touching it, and begins. */
  async adopt(): Promise<void> {
    const hasSidecar = await this.#home.adopt();
    const facts = this.#containers.facts();
    this.#containers.adopt();
    if (this.#isOver(facts)) this.#stage = 'finished';
    // What runs has its volumes and its place: nothing to wait for, even while the API server is away.
    else if (haveContainers(facts)) this.#isPrepared = hasSidecar || this.#home.sidecarState === 'none';
    // It has begun: what it starts again waits for nothing either, and when it is to go, it is unrouted and drained first.
    if (facts.some(({ role, run }) => role === 'app' && run?.state.type === 'running')) this.#stage = 'running';
    this.begin();
  }

  /** A newer object. */
  update(pod: Pod): void {
    if (hasOtherMetadata(this.#pod, pod)) this.#configChanges++;
    this.#pod = pod;
    this.#noteLeaving(pod);
    this.#status.seen(pod);
    this.wake();
  }

  /** The object is gone: everything goes, within that grace. */
  objectGone(graceMs: number): void {
    this.#leave({ kind: 'removed', graceMs });
  }

  /** Stops everything and leaves the object, for the next start of the agent. */
  stop(): void {
    this.#leave({ kind: 'stopped', graceMs: graceOf(this.#pod) });
  }

  exited(key: ContainerKey): void {
    this.#containers.exited(key);
  }

  /** Lets go; what runs goes on. */
  async close(): Promise<void> {
    this.#closed.abort(new Error('pod is let go'));
    this.#timer?.stop();
    await this.#containers.close();
    await this.#status.close();
    await this.#home.close();
  }

  /** Another turn, soon. */
  wake(): void {
    if (!this.#hasBegun || this.#closed.signal.aborted) return;
    this.#timer?.stop();
    this.#timer = this.#context.clock.timer(0, () => this.#tryTurn());
  }

  /** A turn that throws is a bug, of this pod alone: the next event gives it another. */
  #tryTurn(): void {
    try {
      this.#turn();
    } catch (error) {
      this.#context.log.error({ error, pod: this.#pod.metadata.name, stage: this.#stage }, 'a turn of a pod failed');
    }
  }

  #turn(): void {
    if (this.#closed.signal.aborted) return;
    const { clock, log } = this.#context;
    const nowMs = clock.now();
    const facts = this.#containers.facts();
    if (mayBeDoomed(this.#stage)) this.#judge(overdue(this.#pod, this.#startTimeMs, nowMs));
    const before = this.#stage;
    this.#stage = nextStage(before, this.#stageFacts(facts));
    if (before !== this.#stage) log.debug({ pod: this.#pod.metadata.name, from: before, to: this.#stage }, 'pod stage');
    this.#beginStage(facts, nowMs);
    const plan = planContainers(this.#stage, facts, this.#pod.spec.restartPolicy, nowMs);
    for (const action of plan.actions) this.#containers.act(action, this.#restOfGrace());
    if (!isEnding(this.#stage)) this.#containers.tellBackOffs(nowMs);
    if (this.#stage !== 'gone' && !this.#containers.isReadingLastWords) this.#say(this.#containers.facts(), nowMs);
    const wakes = [plan.wakeAtMs, this.#stageWakeAtMs(), ...this.#doomWakesAtMs()];
    this.#sleepUntil(wakes.filter((at) => at !== undefined));
  }

  #stageFacts(facts: readonly ContainerFacts[]): StageFacts {
    const policy = this.#pod.spec.restartPolicy;
    return {
      isLeaving: this.#leaving !== undefined,
      isDoomed: this.#doom !== undefined,
      isPrepared: this.#isPrepared,
      hasJoined: this.#home.sidecarState !== 'not-ready',
      init: initProgress(facts, policy),
      hasEnded: haveEnded(facts, policy),
      mayBeRouted: this.#mayBeRouted(),
      hasDrained: this.#hasDrained,
      hasContainers: this.#jobs.has('prepare') || haveContainers(facts),
      hasSidecar: this.#home.hasSidecar || this.#jobs.has('stop sidecar'),
    };
  }

  /** Begins, once, what a stage is for. */
  #beginStage(facts: readonly ContainerFacts[], nowMs: number): void {
    switch (this.#stage) {
      case 'preparing':
      case 'joining':
      case 'initializing':
      case 'running':
        if (!this.#hasSettledIn && nowMs >= this.#retryAtMs) this.#jobs.start('prepare', () => this.#prepare());
        if (this.#stage === 'joining') this.#noteSlowSidecar(nowMs);
        if (this.#mustWriteVolumes(nowMs)) this.#jobs.start('write volumes', () => this.#writeVolumes());
        if (this.#measureAtMs !== undefined && nowMs >= this.#measureAtMs)
          this.#jobs.start('measure volumes', () => this.#measureVolumes());
        break;
      case 'draining':
        this.#endingSinceMs ??= this.#context.clock.monotonic();
        this.#jobs.start('drain', () => this.#drain());
        break;
      case 'stopping':
        this.#endingSinceMs ??= this.#context.clock.monotonic();
        break;
      case 'finished':
      case 'leaving':
        // Its own containers that serve the others end before the way to the mesh does.
        if (this.#home.hasSidecar && !haveContainers(facts))
          this.#jobs.start('stop sidecar', () => this.#home.stopSidecar(SIDECAR_GRACE_MS));
        break;
      case 'gone':
        this.#jobs.start('finish', () => this.#finish());
        break;
      case 'unrouting':
        break;
      default:
        this.#stage satisfies never;
    }
  }

  #stageWakeAtMs(): number | undefined {
    if (this.#stage === 'unrouting') return this.#leavingSinceMs + UNROUTED_WITHIN_MS;
    if (this.#leaving !== undefined || this.#stage === 'finished') return undefined;
    if (this.#stage === 'joining' && this.#joiningSinceMs !== undefined) return this.#joiningSinceMs + SLOW_SIDECAR_MS;
    if (this.#hasSettledIn) return this.#volumesAtMs;
    return this.#jobs.has('prepare') ? undefined : this.#retryAtMs;
  }

  #doomWakesAtMs(): readonly (number | undefined)[] {
    if (!mayBeDoomed(this.#stage) || this.#jobs.has('measure volumes')) return [];
    return [this.#measureAtMs, deadlineAtMs(this.#pod, this.#startTimeMs)];
  }

  /** The first judgement stays. */
  #judge(doom: Doom | undefined): void {
    if (doom === undefined || this.#doom !== undefined || this.#leaving !== undefined) return;
    this.#doom = doom;
    this.#context.events.record(this.#context.reporter, podKind, this.#pod, { type: 'Warning', ...doom });
  }

  async #measureVolumes(): Promise<void> {
    const sizes = await this.#home.volumeSizes(limitedVolumes(this.#pod).map(({ name }) => name));
    this.#measureAtMs = this.#context.clock.now() + MEASURE_EVERY_MS;
    if (mayBeDoomed(this.#stage)) this.#judge(tooLarge(this.#pod, sizes));
  }

  async #prepare(): Promise<void> {
    try {
      await this.#home.place(this.#pod);
      await this.#home.announce(this.#pod);
      // The address is in the status before the sidecar asks what it is to listen on.
      if (this.#pod.status.podIP !== this.#home.placement?.address) {
        this.#say(this.#containers.facts(), this.#context.clock.now());
        await this.#status.flush();
      }
      await Promise.all([this.#updateVolumes(), this.#home.startSidecar(), this.#home.startGrpc()]);
      this.#isPrepared = true;
      this.#hasSettledIn = true;
    } catch (error) {
      this.#prepareFailures++;
      this.#retryAtMs = this.#context.clock.now() + refusalDelayMs(this.#prepareFailures);
      if (this.#leaving === undefined) this.#tellFailure(error as Error);
    }
  }

  /** A sidecar that does not become ready holds the pod back without a word of its own: say where it writes. */
  #noteSlowSidecar(nowMs: number): void {
    this.#joiningSinceMs ??= nowMs;
    if (nowMs < this.#joiningSinceMs + SLOW_SIDECAR_MS) return;
    this.#joiningSinceMs = nowMs;
    const log = this.#home.sidecarLog;
    const where = log === undefined ? 'it does not run' : `it writes to ${log}`;
    const message = `the sidecar has not become ready for ${SLOW_SIDECAR_MS / 1000}s: ${where}`;
    this.#context.events.record(this.#context.reporter, podKind, this.#pod, {
      type: 'Warning',
      reason: 'SidecarNotReady',
      message,
    });
  }

  #mustWriteVolumes(nowMs: number): boolean {
    if (!this.#hasSettledIn || this.#leaving !== undefined) return false;
    return (
      this.#configsWritten !== this.#configChanges || (this.#volumesAtMs !== undefined && nowMs >= this.#volumesAtMs)
    );
  }

  /** Files of ConfigMaps and Secrets follow their objects; what cannot be had now leaves them as they are. */
  async #writeVolumes(): Promise<void> {
    try {
      await this.#updateVolumes();
    } catch (error) {
      this.#volumesAtMs = this.#context.clock.now() + VOLUMES_RETRY_MS;
      this.#tellFailure(error as Error);
    }
  }

  async #updateVolumes(): Promise<void> {
    this.#configsWritten = this.#configChanges;
    this.#volumesAtMs = undefined;
    this.#volumesAtMs = await this.#home.writeVolumes(this.#pod);
  }

  async #drain(): Promise<void> {
    if (this.#leaving !== undefined) await this.#home.drain(drainLimitMs(this.#leaving));
    this.#hasDrained = true;
  }

  /** The last words, and then the object: whoever sees it gone may count on nothing being left. */
  async #finish(): Promise<void> {
    const { clock } = this.#context;
    switch (this.#leaving?.kind) {
      case 'deleted':
        await this.#status.flush();
        await this.#deleteObject();
        await this.#forget();
        break;
      case 'stopped':
        await Promise.race([this.#status.flush(), clock.sleep(LAST_STATUS_WITHIN_MS, this.#closed.signal)]);
        await this.#home.close();
        break;
      default:
        await this.#forget();
    }
    this.#closed.abort(new Error('pod is gone'));
    this.#timer?.stop();
    await this.#status.close();
    this.#onGone();
  }

  async #deleteObject(): Promise<void> {
    const { client, clock, log } = this.#context;
    const { name, namespace = '', uid } = this.#pod.metadata;
    for (let failures = 1; ; failures++) {
      try {
        await client.delete(podKind, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
        return;
      } catch (error) {
        // Gone already, or another of the same name has taken its place.
        if (hasCode(error, 404) || hasCode(error, 409)) return;
        log.warn({ error, pod: name }, 'cannot remove the object of a pod that has ended; trying again');
        await clock.sleep(refusalDelayMs(failures), this.#closed.signal);
      }
    }
  }

  async #forget(): Promise<void> {
    const { runtime } = this.#context;
    for (const { key } of runtime.list(this.#pod.metadata.uid)) await runtime.remove(key);
    await this.#home.remove();
  }

  #say(facts: readonly ContainerFacts[], nowMs: number): void {
    const status = podStatus({
      pod: this.#pod,
      stage: this.#stage,
      containers: facts,
      sidecar: this.#home.sidecarState,
      isPrepared: this.#isPrepared,
      doom: this.#doom,
      hostAddress: this.#context.nodeAddress,
      podAddress: this.#home.placement?.address,
      startTimeMs: this.#startTimeMs,
      conditionsBefore: this.#status.conditions ?? this.#pod.status.conditions ?? [],
      messageOf: (run) => this.#containers.messageOf(run),
      nowMs,
    });
    this.#wasReady ||= isConditionTrue(status.conditions, 'Ready');
    this.#status.set(status);
  }

  #mayBeRouted(): boolean {
    if (this.#leaving?.kind !== 'deleted' || !this.#wasReady) return false;
    if (isConditionTrue(this.#pod.status.conditions, UNROUTED)) return false;
    return this.#context.clock.now() < this.#leavingSinceMs + UNROUTED_WITHIN_MS;
  }

  #noteLeaving(pod: Pod): void {
    if (pod.metadata.deletionTimestamp != null) this.#leave({ kind: 'deleted', graceMs: graceOf(pod) });
  }

  /** The first reason stays, but an object that is gone outdoes its deletion, and a shorter grace a longer one. */
  #leave(leaving: Leaving): void {
    const present = this.#leaving;
    if (present === undefined) this.#leavingSinceMs = this.#context.clock.now();
    const kind = leaving.kind === 'removed' || present === undefined ? leaving.kind : present.kind;
    this.#leaving = { kind, graceMs: Math.min(leaving.graceMs, present?.graceMs ?? leaving.graceMs) };
    this.wake();
  }

  #restOfGrace(): number {
    if (this.#leaving === undefined || this.#endingSinceMs === undefined) return graceOf(this.#pod);
    return restOfGraceMs(this.#leaving, this.#context.clock.monotonic() - this.#endingSinceMs);
  }

  #isOver(facts: readonly ContainerFacts[]): boolean {
    const policy = this.#pod.spec.restartPolicy;
    return initProgress(facts, policy) === 'failed' || haveEnded(facts, policy);
  }

  #sleepUntil(times: readonly number[]): void {
    if (times.length === 0) return;
    this.#timer?.stop();
    const delayMs = Math.min(LONGEST_SLEEP_MS, Math.max(0, Math.min(...times) - this.#context.clock.now()));
    this.#timer = this.#context.clock.timer(delayMs, () => this.#tryTurn());
  }

  #tellFailure(error: Error): void {
    const reason = error instanceof ConfigError ? 'FailedMount' : 'FailedCreatePodSandBox';
    this.#context.events.record(this.#context.reporter, podKind, this.#pod, {
      type: 'Warning',
      reason,
      message: error.message,
    });
  }
}

/** Downward API files show labels and annotations. */
function hasOtherMetadata({ metadata: left }: Pod, { metadata: right }: Pod): boolean {
  return JSON.stringify([left.labels, left.annotations]) !== JSON.stringify([right.labels, right.annotations]);
}
