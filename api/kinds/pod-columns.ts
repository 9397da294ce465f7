import { humanDuration } from '../meta/human-duration.ts';
import { ageColumn, column, nameColumn, wide } from './columns.ts';
import type { Container } from './container.ts';
import type { Column } from './kind.ts';
import type { Pod } from './pod.ts';
import type { ContainerStatus } from './pod-status.ts';

export const podColumns: readonly Column<Pod>[] = [
  nameColumn,
  column('Ready', 'How many containers of the pod are ready to serve.', (pod) => summary(pod).ready),
  column('Status', 'The state of the pod and of its containers in a word.', (pod) => summary(pod).status),
  column('Restarts', 'How often containers were restarted, and how long ago the last time was.', (pod, nowMs) =>
    restarts(pod, nowMs),
  ),
  ageColumn,
  wide(column('IP', "The pod's address.", (pod) => pod.status.podIPs?.[0]?.ip ?? pod.status.podIP ?? '<none>')),
  wide(column('Node', 'The node that the pod runs on.', (pod) => pod.spec.nodeName || '<none>')),
  wide(column('Nominated Node', 'The node that the pod waits for.', (pod) => pod.status.nominatedNodeName || '<none>')),
  wide(column('Readiness Gates', 'Conditions that must hold for the pod to be ready.', readinessGates)),
];

interface PodSummary {
  readonly ready: string;
  readonly status: string;
  readonly restarts: number;
  readonly lastRestartMs: number | undefined;
}

/** What `kubectl get pods` shows: printPod in pkg/printers/internalversion/printers.go. */
function summary(pod: Pod): PodSummary {
  const init = initProgress(pod);
  const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar);
  const started = init.seen.filter((status) => sidecars.some(({ name }) => name === status.name));
  const showsMain = init.word === undefined || hasCondition(pod, 'Initialized');
  const main = pod.status.containerStatuses ?? [];
  const ready = [
    ...started.filter((status) => status.started === true && status.ready && status.state.terminated === undefined),
    ...(showsMain ? main.filter(isServing) : []),
  ];
  const counted = showsMain ? [...started, ...main] : init.seen;
  return {
    ready: `${ready.length}/${pod.spec.containers.length + sidecars.length}`,
    status: finalWord(pod, showsMain ? mainState(pod, init.word ?? base(pod)) : (init.word ?? '')),
    restarts: counted.reduce((sum, { restartCount }) => sum + restartCount, 0),
    lastRestartMs: lastRestart(counted),
  };
}

function base(pod: Pod): string {
  const gated = pod.status.conditions?.some(
    ({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated',
  );
  return gated ? 'SchedulingGated' : pod.status.reason || pod.status.phase;
}

interface InitProgress {
  /** `Init:…` while init containers have not all done. */
  readonly word: string | undefined;
  /** The init containers up to the one that holds the pod back. */
  readonly seen: readonly ContainerStatus[];
}

function initProgress(pod: Pod): InitProgress {
  const specs = pod.spec.initContainers ?? [];
  const statuses = pod.status.initContainerStatuses ?? [];
  const sidecars = specs.filter(isSidecar);
  const done = (status: ContainerStatus): boolean =>
    status.state.terminated?.exitCode === 0 ||
    (status.started === true && sidecars.some(({ name }) => name === status.name));
  const index = statuses.findIndex((status) => !done(status));
  const holding = statuses[index];
  if (holding === undefined) return { word: undefined, seen: statuses };
  return { word: initWord(holding, `${index}/${specs.length}`), seen: statuses.slice(0, index + 1) };
}

function initWord({ state: { terminated, waiting } }: ContainerStatus, progress: string): string {
  if (terminated !== undefined) {
    if (terminated.reason) return `Init:${terminated.reason}`;
    return terminated.signal ? `Init:Signal:${terminated.signal}` : `Init:ExitCode:${terminated.exitCode}`;
  }
  return waiting?.reason && waiting.reason !== 'PodInitializing' ? `Init:${waiting.reason}` : `Init:${progress}`;
}

/** The state of the containers; the first one with something to say wins (printPod walks from the last to the first). */
function mainState(pod: Pod, otherwise: string): string {
  const statuses = pod.status.containerStatuses ?? [];
  const said = statuses.map(containerWord).find((word) => word !== undefined);
  const word = said ?? otherwise;
  if (word === 'Completed' && statuses.some(isServing)) return hasCondition(pod, 'Ready') ? 'Running' : 'NotReady';
  return word;
}

function containerWord({ state }: ContainerStatus): string | undefined {
  if (state.waiting?.reason) return state.waiting.reason;
  if (state.terminated === undefined) return undefined;
  const { reason, signal, exitCode } = state.terminated;
  return reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`);
}

function finalWord(pod: Pod, word: string): string {
  if (pod.metadata.deletionTimestamp === undefined) return word;
  if (pod.status.reason === 'NodeLost') return 'Unknown';
  return pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed' ? word : 'Terminating';
}

function restarts(pod: Pod, nowMs: number): string {
  const { restarts: count, lastRestartMs } = summary(pod);
  return count === 0 || lastRestartMs === undefined
    ? String(count)
    : `${count} (${humanDuration(nowMs - lastRestartMs)} ago)`;
}

function isServing({ ready, state }: ContainerStatus): boolean {
  return ready && state.running !== undefined;
}

function lastRestart(statuses: readonly ContainerStatus[]): number | undefined {
  const times = statuses.map(({ lastState }) => Date.parse(lastState.terminated?.finishedAt ?? ''));
  const known = times.filter((time) => !Number.isNaN(time));
  return known.length === 0 ? undefined : Math.max(...known);
}

function readinessGates(pod: Pod): string {
  const gates = pod.spec.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  return `${gates.filter(({ conditionType }) => hasCondition(pod, conditionType)).length}/${gates.length}`;
}

function hasCondition(pod: Pod, type: string): boolean {
  return pod.status.conditions?.some((condition) => condition.type === type && condition.status === 'True') === true;
}

function isSidecar({ restartPolicy }: Container): boolean {
  return restartPolicy === 'Always';
}
