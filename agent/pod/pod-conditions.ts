import type { Pod } from '../../api/kinds/pod.ts';
import type { ContainerStatus as ApiStatus, PodCondition, PodPhase } from '../../api/kinds/pod-status.ts';
import { findCondition, setCondition } from '../../api/meta/condition.ts';

/** Condition types that the agent writes. Others, such as tutti.dev/Unrouted, are their writers'. */
const OWN_CONDITIONS = [
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
] as const;

type OwnType = (typeof OWN_CONDITIONS)[number];

export interface ConditionsInput {
  readonly pod: Pod;
  readonly phase: PodPhase;
  readonly init: 'pending' | 'done' | 'failed';
  readonly initContainers: readonly ApiStatus[];
  /** Those of them that keep running. */
  readonly sidecars: readonly ApiStatus[];
  readonly containers: readonly ApiStatus[];
  readonly sidecar: 'ready' | 'not-ready' | 'none';
  readonly isPrepared: boolean;
  /** What was there before; times stay where the status does. */
  readonly before: readonly PodCondition[];
  readonly now: string;
}

interface Verdict {
  readonly status: 'True' | 'False';
  readonly reason?: string;
  readonly message?: string;
}

/** The agent's own conditions, and no other (pkg/kubelet/status/generate.go). */
export function podConditions(input: ConditionsInput): PodCondition[] {
  const verdicts: Readonly<Record<OwnType, Verdict>> = {
    PodReadyToStartContainers: canStart(input),
    Initialized: initialized(input),
    Ready: ready(input),
    ContainersReady: containersReady(input),
    PodScheduled: { status: 'True' },
  };
  let conditions = input.before.filter(({ type }) => (OWN_CONDITIONS as readonly string[]).includes(type));
  for (const type of OWN_CONDITIONS) conditions = setCondition(conditions, { type, ...verdicts[type] }, input.now);
  return OWN_CONDITIONS.flatMap((type) => findCondition(conditions, type) ?? []);
}

function canStart({ isPrepared, sidecar, phase }: ConditionsInput): Verdict {
  const isUp = isPrepared && (sidecar !== 'not-ready' || phase === 'Running');
  return { status: isUp ? 'True' : 'False' };
}

function initialized({ init, initContainers, sidecars, phase }: ConditionsInput): Verdict {
  if (init === 'done') return phase === 'Succeeded' ? { status: 'True', reason: 'PodCompleted' } : { status: 'True' };
  const names = initContainers
    .filter((each) => (sidecars.includes(each) ? each.started !== true : each.state.terminated?.exitCode !== 0))
    .map(({ name }) => name);
  return {
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${names.join(' ')}]`,
  };
}

/** Init containers that keep running count as well (KEP-753, "readiness"). */
function containersReady({ phase, containers, sidecars }: ConditionsInput): Verdict {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  const names = [...sidecars, ...containers].filter(({ ready: isReady }) => !isReady).map(({ name }) => name);
  if (names.length === 0) return { status: 'True' };
  const message = `containers with unready status: [${names.join(' ')}]`;
  return { status: 'False', reason: 'ContainersNotReady', message };
}

/** A pod whose sidecar does not answer cannot be reached: it is not ready, whatever its containers say. */
function ready(input: ConditionsInput): Verdict {
  const containers = containersReady(input);
  if (containers.status === 'False') return containers;
  if (input.sidecar === 'not-ready') {
    return { status: 'False', reason: 'SidecarNotReady', message: "the pod's sidecar is not ready" };
  }
  const closed = (input.pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = findCondition(input.pod.status.conditions, conditionType);
    if (condition?.status === 'True') return [];
    return condition === undefined
      ? [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`]
      : [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`];
  });
  if (closed.length === 0) return { status: 'True' };
  return { status: 'False', reason: 'ReadinessGatesNotReady', message: closed.join(', ') };
}
