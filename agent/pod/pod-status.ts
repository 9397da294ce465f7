import type { Container } from '../../api/kinds/container.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { PodCondition, PodStatus } from '../../api/kinds/pod-status.ts';
import { timestamp } from '../../kit/clock.ts';
import type { ContainerStatus } from '../runtime/runtime.ts';
import { type ContainerFacts, haveContainers, toldInit } from './container-plan.ts';
import { containerStatus } from './container-status.ts';
import type { Doom } from './doom.ts';
import { isEnding, type PodStage } from './lifecycle.ts';
import { podConditions } from './pod-conditions.ts';
import { podPhase } from './pod-phase.ts';

export interface PodStatusInput {
  readonly pod: Pod;
  readonly stage: PodStage;
  readonly containers: readonly ContainerFacts[];
  readonly sidecar: 'ready' | 'not-ready' | 'none';
  readonly isPrepared: boolean;
  /** Why it must end here, when it must. */
  readonly doom?: Doom | undefined;
  readonly hostAddress: string;
  readonly podAddress: string | undefined;
  readonly startTimeMs: number;
  readonly conditionsBefore: readonly PodCondition[];
  readonly messageOf: (run: ContainerStatus) => string | undefined;
  readonly nowMs: number;
}

/** The parts of a pod's status that the agent writes. */
export type AgentStatus = Pick<
  PodStatus,
  | 'phase'
  | 'reason'
  | 'message'
  | 'conditions'
  | 'hostIP'
  | 'hostIPs'
  | 'podIP'
  | 'podIPs'
  | 'startTime'
  | 'initContainerStatuses'
  | 'containerStatuses'
>;

/** What the pod's status is to say, made from facts alone. */
export function podStatus(input: PodStatusInput): AgentStatus {
  const { pod, containers: facts, stage, podAddress, hostAddress, nowMs } = input;
  const policy = pod.spec.restartPolicy;
  const init = toldInit(facts, policy);
  const describe = (container: Container) => {
    const own = facts.find(({ name }) => name === container.name);
    if (own === undefined) return [];
    return [
      containerStatus({
        container,
        facts: own,
        policy,
        podText: `${pod.metadata.name}_${pod.metadata.namespace ?? ''}(${pod.metadata.uid})`,
        isInitializing: init !== 'done' && (pod.spec.initContainers ?? []).length > 0,
        isEnding: isEnding(stage) || stage === 'finished',
        messageOf: input.messageOf,
        nowMs,
      }),
    ];
  };
  const initContainers = (pod.spec.initContainers ?? []).flatMap(describe);
  const containers = pod.spec.containers.flatMap(describe);
  const isRestartable = (name: string): boolean => facts.some((each) => each.name === name && each.role === 'sidecar');
  const sidecars = initContainers.filter(({ name }) => isRestartable(name));
  // A controller that sees it Failed begins another: nothing of this one may run then.
  const hasFailed = input.doom !== undefined && !haveContainers(facts);
  const phase = hasFailed ? 'Failed' : podPhase({ init, containers, sidecars, policy });
  const conditions = podConditions({
    pod,
    phase,
    init,
    initContainers,
    sidecars,
    containers,
    sidecar: input.sidecar,
    isPrepared: input.isPrepared,
    before: input.conditionsBefore,
    now: timestamp(nowMs),
  });
  return {
    phase,
    ...input.doom,
    conditions,
    hostIP: hostAddress,
    hostIPs: [{ ip: hostAddress }],
    ...(podAddress === undefined ? {} : { podIP: podAddress, podIPs: [{ ip: podAddress }] }),
    startTime: timestamp(input.startTimeMs),
    ...(initContainers.length === 0 ? {} : { initContainerStatuses: initContainers }),
    containerStatuses: containers,
  };
}
