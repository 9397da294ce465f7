/**
 * Where a pod is in its life on this node. Pure: the worker gathers facts, this says what comes next.
 *
 * - preparing: its address, ports, identity and volumes are being made ready.
 * - joining: its sidecar starts; nothing of the pod's own runs yet.
 * - initializing: its init containers run, one after the other.
 * - running: its containers run, or wait to be started again.
 * - finished: its containers have ended for good, or must; its sidecar goes too. The object stays.
 * - unrouting: it is to go, and waits until no proxy sends it requests any more.
 * - draining: its sidecar finishes the requests that are in flight.
 * - stopping: its containers are told to end, and killed when their grace is over.
 * - leaving: its containers are gone, its sidecar ends.
 * - gone: nothing of it is left on this node; the object may go.
 */
export type PodStage =
  | 'preparing'
  | 'joining'
  | 'initializing'
  | 'running'
  | 'finished'
  | 'unrouting'
  | 'draining'
  | 'stopping'
  | 'leaving'
  | 'gone';

export interface StageFacts {
  /** It is to go: its object is being deleted or is gone, or the agent stops everything. */
  readonly isLeaving: boolean;
  /** It must end here, though its object stays: it is over its deadline, or evicted. */
  readonly isDoomed: boolean;
  readonly isPrepared: boolean;
  /** Its sidecar is ready, or it has none. */
  readonly hasJoined: boolean;
  readonly init: 'pending' | 'done' | 'failed';
  /** Every container has ended, and by the restart policy none starts again. */
  readonly hasEnded: boolean;
  /** Proxies may still send it requests: it was Ready, and nobody has said that it is unrouted. */
  readonly mayBeRouted: boolean;
  readonly hasDrained: boolean;
  /** A container runs, starts, or is being stopped. */
  readonly hasContainers: boolean;
  readonly hasSidecar: boolean;
}

const NEXT: Readonly<Record<PodStage, readonly PodStage[]>> = {
  preparing: ['joining', 'finished', 'stopping'],
  joining: ['initializing', 'finished', 'stopping'],
  initializing: ['running', 'finished', 'stopping'],
  running: ['finished', 'unrouting', 'draining'],
  finished: ['stopping'],
  unrouting: ['draining'],
  draining: ['stopping'],
  stopping: ['leaving'],
  leaving: ['gone'],
  gone: [],
};

/** The stage that the facts lead to; the same when nothing is to change. */
export function nextStage(stage: PodStage, facts: StageFacts): PodStage {
  let present = stage;
  for (;;) {
    const next = step(present, facts);
    if (next === present) return present;
    if (!NEXT[present].includes(next)) throw new Error(`pod stage: cannot go from ${present} to ${next}`);
    present = next;
  }
}

function step(stage: PodStage, facts: StageFacts): PodStage {
  switch (stage) {
    case 'preparing':
      if (facts.isLeaving) return 'stopping';
      if (facts.isDoomed) return 'finished';
      return facts.isPrepared ? 'joining' : stage;
    case 'joining':
      if (facts.isLeaving) return 'stopping';
      if (facts.isDoomed) return 'finished';
      return facts.hasJoined ? 'initializing' : stage;
    case 'initializing':
      if (facts.isLeaving) return 'stopping';
      if (facts.isDoomed || facts.init === 'failed') return 'finished';
      return facts.init === 'done' ? 'running' : stage;
    case 'running':
      if (facts.isLeaving) return facts.mayBeRouted ? 'unrouting' : 'draining';
      return facts.isDoomed || facts.hasEnded ? 'finished' : stage;
    case 'finished':
      return facts.isLeaving ? 'stopping' : stage;
    case 'unrouting':
      return facts.mayBeRouted ? stage : 'draining';
    case 'draining':
      return facts.hasDrained ? 'stopping' : stage;
    case 'stopping':
      return facts.hasContainers ? stage : 'leaving';
    case 'leaving':
      return facts.hasSidecar ? stage : 'gone';
    case 'gone':
      return stage;
    default:
      return stage satisfies never;
  }
}

/** In these stages the pod is on its way out: nothing is started any more. */
export function isEnding(stage: PodStage): boolean {
  return ['unrouting', 'draining', 'stopping', 'leaving', 'gone'].includes(stage);
}
