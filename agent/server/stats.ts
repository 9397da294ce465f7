import { cpus, freemem, totalmem } from 'node:os';
import type { Clock } from '../../kit/clock.ts';
import type { PodWorker } from '../pod/pod-worker.ts';
import type { Pods } from '../pod/pods.ts';
import { readProcTable } from '../runtime/process/host/proc-table.ts';
import { usageOf } from '../runtime/process/usage.ts';
import type { ContainerStatus, ContainerUsage, Runtime } from '../runtime/runtime.ts';
import { keyText } from '../runtime/runtime.ts';

export interface UsageStats {
  readonly name: string;
  /** Billionths of a core, over the time since the look before. */
  readonly cpuNanoCores: number;
  readonly memoryWorkingSetBytes: number;
}

/** The parts of the kubelet's stats Summary that are served (k8s.io/kubelet/pkg/apis/stats/v1alpha1). */
export interface StatsSummary {
  readonly node: UsageStats;
  readonly pods: readonly {
    readonly namespace: string;
    readonly name: string;
    readonly containers: readonly UsageStats[];
  }[];
}

/** How a pod's sidecar is named among its containers. */
const SIDECAR_NAME = 'tutti-proxy';

interface Sample {
  readonly atMs: number;
  readonly cpuNanoseconds: number;
}

/** A sample is kept this long before a newer one takes its place: rates over less than that are noise. */
const LEAST_WINDOW_MS = 5000;

/** CPU rates out of CPU sums: each look is compared with one of some seconds before. */
export class Stats {
  readonly #pods: Pods;
  readonly #runtime: Runtime;
  readonly #clock: Clock;
  readonly #nodeName: string;
  #before = new Map<string, Sample>();
  #recent = new Map<string, Sample>();

  constructor(options: { pods: Pods; runtime: Runtime; clock: Clock; nodeName: string }) {
    this.#pods = options.pods;
    this.#runtime = options.runtime;
    this.#clock = options.clock;
    this.#nodeName = options.nodeName;
  }

  summary(): StatsSummary {
    const atMs = this.#clock.monotonic();
    this.#age(atMs);
    const rate = (id: string, name: string, usage: ContainerUsage | undefined, ageMs: number): UsageStats[] => {
      if (usage === undefined) return [];
      const cpuNanoCores = this.#rate(id, { atMs, cpuNanoseconds: usage.cpuNanoseconds }, ageMs);
      return [{ name, cpuNanoCores, memoryWorkingSetBytes: usage.memoryBytes }];
    };
    const workers = this.#pods.list().map((worker) => ({ worker, runs: runsOf(worker) }));
    // One look at all processes for all pods: it costs the same as for one.
    const keys = workers.flatMap(({ runs }) => runs.map(({ key }) => key));
    const used = this.#runtime.usage(keys);
    const usages = new Map(keys.map((key, index) => [keyText(key), used[index]]));
    const pids = workers.flatMap(({ worker }) => worker.sidecarPid ?? []);
    const proxies = usageOf(readProcTable(), pids);
    const sidecars = new Map(pids.map((pid, index) => [pid, proxies[index]]));
    const pods = workers.map(({ worker, runs }) => {
      const { metadata } = worker.pod;
      const containers = runs.flatMap(({ key, state }) =>
        rate(keyText(key), key.container, usages.get(keyText(key)), ageOf(state, this.#clock.now())),
      );
      const sidecar = worker.sidecarPid === undefined ? undefined : sidecars.get(worker.sidecarPid);
      const proxy = rate(`${metadata.uid} sidecar`, SIDECAR_NAME, sidecar, 0);
      return { namespace: metadata.namespace ?? '', name: metadata.name, containers: [...containers, ...proxy] };
    });
    const node = rate('node', this.#nodeName, nodeUsage(), 0)[0];
    return { node: node ?? { name: this.#nodeName, cpuNanoCores: 0, memoryWorkingSetBytes: 0 }, pods };
  }

  #rate(id: string, sample: Sample, ageMs: number): number {
    this.#recent.set(id, this.#recent.get(id) ?? sample);
    const before = this.#before.get(id) ?? this.#recent.get(id) ?? sample;
    const elapsedMs = sample.atMs - before.atMs;
    if (elapsedMs > 0) return Math.max(0, ((sample.cpuNanoseconds - before.cpuNanoseconds) * 1000) / elapsedMs);
    // The first look: the mean since the container's start.
    return ageMs > 0 ? (sample.cpuNanoseconds * 1000) / ageMs : 0;
  }

  /** What was recent becomes what is compared with, when it is old enough. */
  #age(nowMs: number): void {
    const [first] = this.#recent.values();
    if (first === undefined || nowMs - first.atMs < LEAST_WINDOW_MS) return;
    this.#before = this.#recent;
    this.#recent = new Map();
  }
}

function runsOf(worker: PodWorker): readonly ContainerStatus[] {
  const { spec } = worker.pod;
  return [...(spec.initContainers ?? []), ...spec.containers].flatMap(({ name }) => worker.run(name, 0) ?? []);
}

function ageOf(state: { readonly type: string; readonly startedAtMs?: number }, nowMs: number): number {
  return state.startedAtMs === undefined ? 0 : nowMs - state.startedAtMs;
}

function nodeUsage(): ContainerUsage {
  const busyMs = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  return { cpuNanoseconds: busyMs * 1_000_000, memoryBytes: totalmem() - freemem() };
}
