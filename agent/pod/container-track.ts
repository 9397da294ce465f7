import type { Container } from '../../api/kinds/container.ts';
import type { Prober } from '../probes/prober.ts';
import type { ContainerKey, ContainerStatus, Runtime } from '../runtime/runtime.ts';
import type { ContainerFacts, Refusal } from './container-plan.ts';
import type { StartRefusal } from './container-runner.ts';
import { type ContainerRole, crashesAfter, refusalDelayMs } from './restart.ts';

/** How often in a row the container had ended before the run, as the run's label: its back-off outlives the agent. */
export const CRASHES_LABEL = 'tutti.dev/crashes';

/** What the worker remembers of one container between two looks; the rest is the runtime's to know. */
export class ContainerTrack {
  readonly container: Container;
  readonly role: ContainerRole;
  busy: 'starting' | 'stopping' | undefined;
  refusal: Refusal | undefined;
  prober: Prober | undefined;
  /** The run after which it was last said that the next one waits. */
  toldBackOffOf: number | undefined;
  /** It was told to end because the pod goes: that it ends is no news. */
  isToldToEnd = false;
  readonly #podUid: string;
  readonly #messages = new Map<number, string>();
  #crashes = 0;

  constructor(podUid: string, container: Container, role: ContainerRole) {
    this.#podUid = podUid;
    this.container = container;
    this.role = role;
  }

  key(attempt: number): ContainerKey {
    return { podUid: this.#podUid, container: this.container.name, attempt };
  }

  /** Its runs that are known, the newest first. */
  runs(runtime: Runtime): readonly ContainerStatus[] {
    return runtime
      .list(this.#podUid)
      .filter(({ key }) => key.container === this.container.name)
      .toSorted((left, right) => right.key.attempt - left.key.attempt);
  }

  facts(runtime: Runtime): ContainerFacts {
    const [run, previous] = this.runs(runtime);
    return {
      name: this.container.name,
      role: this.role,
      run,
      previous,
      busy: this.busy,
      // While its first moments last there is no prober yet: it is neither started nor ready.
      started: this.prober?.started ?? false,
      ready: this.prober?.ready ?? false,
      unhealthy: this.prober?.failed !== undefined,
      refusal: this.refusal,
      crashes: this.#crashes,
    };
  }

  refused(refusal: StartRefusal, nowMs: number): void {
    const failures = (this.refusal?.failures ?? 0) + 1;
    const isPull = refusal.reason === 'ErrImagePull';
    const shown =
      isPull && failures > 1
        ? {
            reason: 'ImagePullBackOff',
            message: `Back-off pulling image "${this.container.image ?? ''}": ${refusal.message}`,
          }
        : { reason: refusal.reason, message: refusal.message };
    this.refusal = { ...shown, failures, retryAtMs: nowMs + refusalDelayMs(failures) };
  }

  /** What it was waiting for may be there now. */
  configChanged(): void {
    if (this.refusal?.reason === 'CreateContainerConfigError') this.refusal = { ...this.refusal, retryAtMs: 0 };
  }

  /** How often in a row it has ended. */
  get crashes(): number {
    return this.#crashes;
  }

  /** Goes on counting where the agent that started this run was. */
  adopted({ labels }: ContainerStatus): void {
    this.#crashes = Number(labels[CRASHES_LABEL] ?? 0);
  }

  ended(run: ContainerStatus): void {
    this.prober?.close();
    this.prober = undefined;
    if (run.state.type === 'exited') {
      this.#crashes = crashesAfter(this.#crashes, run.state.finishedAtMs - run.state.startedAtMs);
    }
  }

  setMessage(attempt: number, message: string): void {
    this.#messages.set(attempt, message);
    this.#messages.delete(attempt - 2);
  }

  messageOf(attempt: number): string | undefined {
    return this.#messages.get(attempt);
  }
}

/** The tracks of a pod, init containers first, in their order. */
export function tracksOf(
  podUid: string,
  spec: { readonly initContainers?: readonly Container[] | undefined; readonly containers: readonly Container[] },
): readonly ContainerTrack[] {
  const init = (spec.initContainers ?? []).map(
    (container) => new ContainerTrack(podUid, container, container.restartPolicy === 'Always' ? 'sidecar' : 'init'),
  );
  return [...init, ...spec.containers.map((container) => new ContainerTrack(podUid, container, 'app'))];
}
