import type { Container } from '../../api/kinds/container.ts';
import type { Probe } from '../../api/kinds/probe.ts';
import type { Clock, Timer } from '../../kit/clock.ts';
import {
  afterProbe,
  beginProbes,
  dueProbes,
  failedProbe,
  isNews,
  isReady,
  isStarted,
  nextDueMs,
  PROBE_KINDS,
  type ProbeKind,
  type ProbesStart,
  type ProbesState,
  type ProbeTiming,
  type Timings,
} from './decide.ts';
import { type ProbeTarget, runProbe } from './handlers.ts';

export interface ProberOptions {
  readonly container: Pick<Container, 'startupProbe' | 'readinessProbe' | 'livenessProbe'>;
  readonly target: ProbeTarget;
  /** Milliseconds that the container has run already. */
  readonly ageMs: number;
  readonly known?: ProbesStart['known'];
  readonly phase?: number;
  readonly clock: Clock;
  /** What the prober says of the container has changed. */
  readonly onChange: () => void;
  readonly onNews: (kind: ProbeKind, message: string) => void;
}

const FIELDS = { startup: 'startupProbe', readiness: 'readinessProbe', liveness: 'livenessProbe' } as const;

/** Probes one run of one container until it is closed. */
export class Prober {
  readonly #options: ProberOptions;
  readonly #timings: Timings;
  readonly #running = new Set<ProbeKind>();
  #state: ProbesState;
  #timer: Timer | undefined;
  #closed = false;
  #failure: string | undefined;

  constructor(options: ProberOptions) {
    this.#options = options;
    this.#timings = timingsOf(options.container);
    this.#state = beginProbes(this.#timings, {
      startedAtMs: options.clock.monotonic() - options.ageMs,
      ...(options.known === undefined ? {} : { known: options.known }),
      ...(options.phase === undefined ? {} : { phase: options.phase }),
    });
    this.#plan();
  }

  get started(): boolean {
    return isStarted(this.#state);
  }

  get ready(): boolean {
    return isReady(this.#state);
  }

  /** Why the container must be stopped, when it must. */
  get failed(): { readonly kind: 'startup' | 'liveness'; readonly message: string } | undefined {
    const kind = failedProbe(this.#state);
    return kind === undefined ? undefined : { kind, message: this.#failure ?? '' };
  }

  close(): void {
    this.#closed = true;
    this.#timer?.stop();
  }

  #plan(): void {
    this.#timer?.stop();
    if (this.#closed) return;
    const { clock } = this.#options;
    // One reading: a second one could find due what the first did not, and then nobody would begin it.
    const nowMs = clock.monotonic();
    for (const kind of dueProbes(this.#state, nowMs)) {
      if (!this.#running.has(kind)) void this.#probe(kind);
    }
    const nextMs = nextDueMs(this.#state);
    // A probe that runs plans anew when it is done.
    if (nextMs === undefined || nextMs <= nowMs) return;
    this.#timer = clock.timer(nextMs - nowMs, () => this.#plan());
  }

  async #probe(kind: ProbeKind): Promise<void> {
    const probe = this.#options.container[FIELDS[kind]];
    const timing = this.#timings[kind];
    if (probe === undefined || timing === undefined) return;
    this.#running.add(kind);
    const beganAtMs = this.#options.clock.monotonic();
    const result = await runProbe(probe, this.#options.target);
    this.#running.delete(kind);
    const before = this.#state[kind];
    if (this.#closed || before === undefined) return;
    const after = afterProbe(timing, kind, before, result.outcome, beganAtMs);
    const said = [this.started, this.ready, this.failed?.kind];
    this.#state = { ...this.#state, [kind]: after };
    if (after.verdict === 'failure' && kind !== 'readiness') this.#failure = result.message;
    if (isNews(before, after)) this.#options.onNews(kind, result.message);
    if (said[0] !== this.started || said[1] !== this.ready || said[2] !== this.failed?.kind) this.#options.onChange();
    this.#plan();
  }
}

function timingsOf(container: ProberOptions['container']): Timings {
  const timings: Partial<Record<ProbeKind, ProbeTiming>> = {};
  for (const kind of PROBE_KINDS) {
    const probe = container[FIELDS[kind]];
    if (probe !== undefined) timings[kind] = timingOf(probe);
  }
  return timings;
}

function timingOf(probe: Probe): ProbeTiming {
  return {
    initialDelayMs: (probe.initialDelaySeconds ?? 0) * 1000,
    periodMs: probe.periodSeconds * 1000,
    successThreshold: probe.successThreshold,
    failureThreshold: probe.failureThreshold,
  };
}
