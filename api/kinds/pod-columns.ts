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

/** The word that `kubectl get pods` shows: printPod in pkg/printers/internalversion/printers.go. */
export function podStatusWord(pod: Pod): string {
  return summary(pod).status;
}

function summary(pod: Pod): PodSummary {
  const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar);
  const initialized = hasCondition(pod, 'Initialized');
  const init = initState(pod);
  const main = pod.status.containerStatuses ?? [];
  const initializing = init !== undefined;
  const readySidecars = (pod.status.initContainerStatuses ?? []).filter(
    ({ name, ready }) => ready && sidecars.some((sidecar) => sidecar.name === name),
  );
  const running = main.filter((status) => status.ready && status.state.running !== undefined);
  const showsMain = !initializing || initialized;
  const word = showsMain ? mainState(pod, init ?? base(pod)) : init;
  const counted = showsMain ? [...readySidecarStatuses(pod), ...main] : (pod.status.initContainerStatuses ?? []);
  return {
    ready: `${readySidecars.length + (showsMain ? running.length : 0)}/${pod.spec.containers.length + sidecars.length}`,
    status: finalWord(pod, word),
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

/** `Init:…` while init containers have not all done, else undefined. */
function initState(pod: Pod): string | undefined {
  const specs = pod.spec.initContainers ?? [];
  const statuses = pod.status.initContainerStatuses ?? [];
  for (const [index, status] of statuses.entries()) {
    const { terminated, waiting } = status.state;
    if (terminated?.exitCode === 0) continue;
    if (specs.some((spec) => spec.name === status.name && isSidecar(spec)) && status.started === true) continue;
    if (terminated !== undefined) {
      if (terminated.reason) return `Init:${terminated.reason}`;
      return terminated.signal ? `Init:Signal:${terminated.signal}` : `Init:ExitCode:${terminated.exitCode}`;
    }
    if (waiting?.reason && waiting.reason !== 'PodInitializing') return `Init:${waiting.reason}`;
    return `Init:${index}/${specs.length}`;
  }
  return undefined;
}

/** The state of the containers; the first one with something to say wins (printPod walks from the last to the first). */
function mainState(pod: Pod, otherwise: string): string {
  const statuses = pod.status.containerStatuses ?? [];
  const said = statuses.map(containerWord).find((word) => word !== undefined);
  const word = said ?? otherwise;
  const running = statuses.some(({ ready, state }) => ready && state.running !== undefined);
  if (word === 'Completed' && running) return hasCondition(pod, 'Ready') ? 'Running' : 'NotReady';
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

function readySidecarStatuses(pod: Pod): readonly ContainerStatus[] {
  const sidecars = new Set((pod.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name));
  return (pod.status.initContainerStatuses ?? []).filter(({ name }) => sidecars.has(name));
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
