import { type Pod, podKind } from '../../api/kinds/pod.ts';
import type { ProbeTarget } from '../probes/handlers.ts';
import { Prober } from '../probes/prober.ts';
import type { ContainerKey, ContainerStatus } from '../runtime/runtime.ts';
import type { AgentContext } from './agent-context.ts';
import { backOffMs } from './back-off.ts';
import type { ContainerAction, ContainerFacts } from './container-plan.ts';
import { type RunResult, runContainer, terminationFile } from './container-runner.ts';
import { type ContainerTrack, CRASHES_LABEL, tracksOf } from './container-track.ts';
import { reportExit } from './exit-report.ts';
import type { Jobs } from './jobs.ts';
import { LEAST_GRACE_MS } from './leaving.ts';
import { runHook } from './lifecycle-hooks.ts';
import type { PodHome } from './pod-home.ts';

export interface ContainersOptions {
  readonly context: AgentContext;
  readonly home: PodHome;
  readonly jobs: Jobs;
  /** The newest object. */
  readonly pod: () => Pod;
  /** Something about a container has changed. */
  readonly onChange: () => void;
}

/** How many runs of a container are kept: the present one and the one that `logs --previous` shows. */
const RUNS_KEPT = 2;

/** The containers of one pod: does what the plan says, and remembers what came of it. */
export class Containers {
  readonly #options: ContainersOptions;
  readonly #tracks: readonly ContainerTrack[];
  readonly #noticed = new Set<string>();
  readonly #launches = new Set<Promise<RunResult>>();
  #isClosed = false;
  #reading = 0;

  constructor(options: ContainersOptions) {
    this.#options = options;
    const { metadata, spec } = options.pod();
    this.#tracks = tracksOf(metadata.uid, spec);
  }

  facts(): readonly ContainerFacts[] {
    return this.#tracks.map((track) => track.facts(this.#options.context.runtime));
  }

  messageOf(run: ContainerStatus): string | undefined {
    return this.#track(run.key.container)?.messageOf(run.key.attempt);
  }

  /** The last words of a run that has just ended are being read: a moment's work, after which all is told at once. */
  get isReadingLastWords(): boolean {
    return this.#reading > 0;
  }

  /** The newest run, or with `back` the one so many before it. */
  run(container: string, back: number): ContainerStatus | undefined {
    return this.#track(container)?.runs(this.#options.context.runtime)[back];
  }

  /** Takes over runs of an earlier agent: probes them on, and reads the last words of those that ended meanwhile. */
  adopt(): void {
    const statuses = [
      ...(this.#options.pod().status.containerStatuses ?? []),
      ...(this.#options.pod().status.initContainerStatuses ?? []),
    ];
    for (const track of this.#tracks) {
      const runs = track.runs(this.#options.context.runtime);
      const [run] = runs;
      if (run !== undefined) track.adopted(run);
      const ends = statuses.flatMap(({ state, lastState }) =>
        [state.terminated ?? [], lastState.terminated ?? []].flat(),
      );
      for (const { id, key } of runs.toReversed()) {
        const told = ends.find(({ containerID }) => containerID === id);
        if (told !== undefined) track.setMessage(key.attempt, told.message ?? '');
      }
      if (run?.state.type === 'exited') this.#ended(track, run);
      if (run?.state.type !== 'running') continue;
      const known = statuses.find(({ containerID }) => containerID === run.id);
      this.#probe(
        track,
        run,
        known === undefined ? undefined : { started: known.started ?? false, ready: known.ready },
      );
    }
  }

  /** Begins what the plan wants of a container. `graceMs` is for a stop because the pod goes. */
  act(action: ContainerAction, graceMs: number): void {
    const track = this.#track(action.container);
    if (track === undefined || track.busy !== undefined) return;
    const { jobs } = this.#options;
    if (action.type === 'start') {
      track.busy = 'starting';
      jobs.start(`start ${action.container}`, () =>
        this.#start(track, action.attempt).finally(() => (track.busy = undefined)),
      );
    } else {
      track.busy = 'stopping';
      const wanted = action.why === 'leaving' ? graceMs : this.#graceOfFailedProbe(track);
      jobs.start(`stop ${action.container}`, () =>
        this.#stop(track, wanted, action.why).finally(() => (track.busy = undefined)),
      );
    }
  }

  /** A ConfigMap or Secret has changed: containers that were refused for one are tried again. */
  configChanged(): void {
    for (const track of this.#tracks) track.configChanged();
  }

  /** A run has ended. */
  exited(key: ContainerKey): void {
    const track = this.#track(key.container);
    const run = this.#options.context.runtime.status(key);
    if (track === undefined || run === undefined) return;
    this.#ended(track, run);
  }

  #ended(track: ContainerTrack, run: ContainerStatus): void {
    const failed = track.prober?.failed;
    const failedProbe = failed === undefined ? undefined : `${failed.kind} probe failed: ${failed.message}`;
    track.ended(run);
    // An earlier agent has told it.
    if (track.messageOf(run.key.attempt) !== undefined) return;
    const job = `message of ${run.key.container} ${run.key.attempt}`;
    if (this.#options.jobs.has(job)) return;
    this.#reading++;
    this.#options.jobs.start(job, async () => {
      try {
        await this.#explain(track, run, failedProbe);
      } finally {
        this.#reading--;
      }
    });
  }

  /** Says of each container that has crashed and waits to be started again that it does, once for each crash. */
  tellBackOffs(nowMs: number): void {
    const { metadata, spec } = this.#options.pod();
    for (const track of this.#tracks) {
      const facts = track.facts(this.#options.context.runtime);
      const attempt = facts.run?.key.attempt;
      if (attempt === track.toldBackOffOf || backOffMs(facts, spec.restartPolicy, nowMs) === 0) continue;
      track.toldBackOffOf = attempt;
      const { name, namespace = '', uid } = metadata;
      const pod = `${name}_${namespace}(${uid})`;
      this.#tell(track, 'Warning', 'BackOff', `Back-off restarting failed container ${facts.name} in pod ${pod}`);
    }
  }

  /** Lets go of what runs, and starts nothing any more. Resolves when no start is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const track of this.#tracks) track.prober?.close();
    await Promise.all(this.#launches);
  }

  async #start(track: ContainerTrack, attempt: number): Promise<void> {
    if (this.#isClosed) return;
    const { context } = this.#options;
    const { container } = track;
    const launch = this.#launch(track, attempt);
    this.#launches.add(launch);
    const result = await launch.finally(() => this.#launches.delete(launch));
    if (!result.ok) {
      track.refused(result.refusal, context.clock.now());
      this.#tell(track, 'Warning', failureReason(result.refusal.reason), `Error: ${result.refusal.message}`);
      return;
    }
    track.refusal = undefined;
    this.#tell(track, 'Normal', 'Pulled', result.pulled);
    this.#tell(track, 'Normal', 'Created', `Created container: ${container.name}`);
    this.#tell(track, 'Normal', 'Started', `Started container ${container.name}`);
    for (const notice of result.notices) this.#notice(track, notice);
    const run = context.runtime.status(track.key(attempt));
    if (run?.state.type === 'running') {
      await this.#postStart(track, run);
      this.#probe(track, run, undefined);
    }
    for (const old of track.runs(context.runtime).slice(RUNS_KEPT)) await context.runtime.remove(old.key);
  }

  async #launch(track: ContainerTrack, attempt: number): Promise<RunResult> {
    const { home, pod } = this.#options;
    try {
      const labels = { [CRASHES_LABEL]: String(track.crashes) };
      return await runContainer(await home.runnerInput(pod()), track.container, attempt, labels);
    } catch (error) {
      return { ok: false, refusal: { reason: 'CreateContainerError', message: (error as Error).message } };
    }
  }

  async #stop(track: ContainerTrack, graceMs: number, why: 'unhealthy' | 'leaving'): Promise<void> {
    const { context } = this.#options;
    const [run] = track.runs(context.runtime);
    if (run?.state.type !== 'running') return;
    track.isToldToEnd = why === 'leaving';
    const failed = track.prober?.failed?.kind;
    const message =
      why === 'unhealthy'
        ? `Container ${track.container.name} failed ${failed ?? 'liveness'} probe, will be restarted`
        : `Stopping container ${track.container.name}`;
    this.#tell(track, 'Normal', 'Killing', message);
    const beganMs = context.clock.monotonic();
    const hook = track.container.lifecycle?.preStop;
    if (hook !== undefined && graceMs > 0) {
      const problem = await runHook(hook, this.#target(track, run.key), graceMs, context.clock);
      if (problem !== undefined) this.#tell(track, 'Warning', 'FailedPreStopHook', `PreStopHook failed: ${problem}`);
    }
    const usedMs = context.clock.monotonic() - beganMs;
    await context.runtime.stop(run.key, { graceMs: Math.max(Math.min(graceMs, LEAST_GRACE_MS), graceMs - usedMs) });
  }

  /** A container whose hook fails is killed, and by its policy started again. */
  async #postStart(track: ContainerTrack, run: ContainerStatus): Promise<void> {
    const { context, pod } = this.#options;
    const hook = track.container.lifecycle?.postStart;
    if (hook === undefined) return;
    const graceMs = pod().spec.terminationGracePeriodSeconds * 1000;
    const problem = await runHook(hook, this.#target(track, run.key), graceMs, context.clock);
    if (problem === undefined) return;
    this.#tell(track, 'Warning', 'FailedPostStartHook', `PostStartHook failed: ${problem}`);
    await context.runtime.stop(run.key, { graceMs });
  }

  #probe(track: ContainerTrack, run: ContainerStatus, known: { started: boolean; ready: boolean } | undefined): void {
    const { context, onChange } = this.#options;
    const state = context.runtime.status(run.key)?.state;
    // It may have ended while its first moments were dealt with.
    if (state?.type !== 'running' || this.#isClosed) return;
    track.prober = new Prober({
      container: track.container,
      target: this.#target(track, run.key),
      ageMs: Math.max(0, context.clock.now() - state.startedAtMs),
      ...(known === undefined ? {} : { known, phase: context.random() }),
      clock: context.clock,
      onChange,
      onNews: (kind, message) =>
        this.#tell(
          track,
          'Warning',
          'Unhealthy',
          `${kind.charAt(0).toUpperCase()}${kind.slice(1)} probe failed: ${message}`,
        ),
    });
    onChange();
  }

  #target({ container }: ContainerTrack, key: ContainerKey): ProbeTarget {
    const { context, home } = this.#options;
    return {
      address: '127.0.0.1',
      port: (port) => {
        const named = container.ports?.find(({ name }) => name === port)?.containerPort;
        const number = typeof port === 'number' ? port : named;
        return number === undefined ? undefined : (home.placement?.appPorts[String(number)] ?? number);
      },
      exec: (command, timeoutMs) => context.runtime.exec(key, command, { timeoutMs, maxOutputBytes: 10 * 1024 }),
      clock: context.clock,
    };
  }

  async #explain(track: ContainerTrack, run: ContainerStatus, failedProbe: string | undefined): Promise<void> {
    const { context, home } = this.#options;
    const file = terminationFile(home.folder, run.key);
    const { container } = track;
    const { message, news } = await reportExit(context.runtime, { run, container, terminationFile: file, failedProbe });
    track.setMessage(run.key.attempt, message);
    if (news !== undefined && !track.isToldToEnd) this.#tell(track, 'Warning', 'Exited', news);
  }

  #graceOfFailedProbe({ container, prober }: ContainerTrack): number {
    const probe = prober?.failed?.kind === 'startup' ? container.startupProbe : container.livenessProbe;
    return (probe?.terminationGracePeriodSeconds ?? this.#options.pod().spec.terminationGracePeriodSeconds) * 1000;
  }

  /** The same notice comes once for each pod, not at every restart. */
  #notice(track: ContainerTrack, message: string): void {
    if (this.#noticed.has(`${track.container.name} ${message}`)) return;
    this.#noticed.add(`${track.container.name} ${message}`);
    this.#tell(track, 'Warning', 'ProcessDriver', message);
  }

  #tell({ container, role }: ContainerTrack, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const field = role === 'app' ? 'containers' : 'initContainers';
    const fieldPath = `spec.${field}{${container.name}}`;
    const { events, reporter } = this.#options.context;
    events.record(reporter, podKind, this.#options.pod(), { type, reason, message, fieldPath });
  }

  #track(container: string): ContainerTrack | undefined {
    return this.#tracks.find((track) => track.container.name === container);
  }
}

/** The kubelet's words: an image that is not there Failed; a name that is none is InspectFailed; all else Failed. */
function failureReason(reason: string): string {
  return reason === 'InvalidImageName' ? 'InspectFailed' : 'Failed';
}
