import type { Node, NodeCondition } from '../../../api/kinds/node.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import { findCondition } from '../../../api/meta/condition.ts';
import { isTerminal } from '../pod-state.ts';

/** Agents renew every second: seven renewals are missing. With two more to notice and to start others, pods are replaced in 10 s. */
export const SILENT_AFTER_MS = 7000;

/**
 * From this share of silent nodes on, nothing is moved: it is then likelier that this control plane is cut off than that
 * so many nodes died at once (--unhealthy-zone-threshold of kube-controller-manager).
 */
const BRAKE_SHARE = 0.55;

/** Nodes that are cut off together are not heard last at the same moment: from three missing renewals on one counts for the brake. */
const SUSPECT_AFTER_MS = 3500;

const LOST = 'NodeStatusUnknown';

export interface NodeView {
  readonly name: string;
  /** Undefined when pods are bound to a node that is not there. */
  readonly node: Node | undefined;
  readonly silentForMs: number;
  /** Its lease was seen to be renewed, not only to be there. */
  readonly isRenewed: boolean;
  readonly pods: readonly Pod[];
}

export interface NodeLifecyclePlan {
  /** Nodes in their new form, of which only the status differs. */
  readonly lost: readonly Node[];
  readonly returned: readonly Node[];
  /** Pods to delete with their grace: whoever manages them makes others. */
  readonly evict: readonly Pod[];
  /** Pods to delete without grace: theirs is over, and there is no agent to say that they ended. */
  readonly forget: readonly Pod[];
  /** Whether evictions are held back, and why. */
  readonly brake: string | undefined;
}

/** Who is lost, who is back, and which pods are to be replaced (pkg/controller/nodelifecycle, tainteviction and podgc). */
export function decideNodeLifecycle(views: readonly NodeView[], nowMs: number, now: string): NodeLifecyclePlan {
  const silent = views.filter(({ silentForMs }) => silentForMs >= SILENT_AFTER_MS);
  const suspect = views.filter(({ silentForMs }) => silentForMs >= SUSPECT_AFTER_MS);
  const brake = silent.length === 0 ? undefined : brakeReason(suspect, views);
  // Behind the brake, pods and their endpoints stay as they are: traffic does not depend on the control plane.
  const pods = brake === undefined ? silent.flatMap((view) => view.pods) : [];
  return {
    lost: silent.flatMap(({ node }) => (node === undefined || isLost(node) ? [] : asLost(node, now))),
    returned: views.flatMap(({ node, silentForMs, isRenewed }) =>
      node !== undefined && silentForMs < SILENT_AFTER_MS && isRenewed && isLost(node) ? asReturned(node, now) : [],
    ),
    evict: pods.filter((pod) => pod.metadata.deletionTimestamp === undefined && !isTerminal(pod)),
    forget: pods.filter(({ metadata: { deletionTimestamp } }) => isOver(deletionTimestamp, nowMs)),
    brake,
  };
}

/** The pod as no longer ready: its node is silent. Undefined when it is not ready already. */
export function asNotReady(pod: Pod, now: string): Pod | undefined {
  const ready = findCondition(pod.status.conditions, 'Ready');
  if (ready?.status !== 'True') return undefined;
  const lost = { ...ready, status: 'False', lastTransitionTime: now, reason: LOST } as const;
  const conditions = (pod.status.conditions ?? []).map((each) => (each === ready ? lost : each));
  return { ...pod, status: { ...pod.status, conditions } };
}

function brakeReason(suspect: readonly NodeView[], views: readonly NodeView[]): string | undefined {
  const registered = (view: NodeView): boolean => view.node !== undefined;
  const [lost, all] = [suspect.filter(registered).length, views.filter(registered).length];
  if (lost === 0 || lost / all < BRAKE_SHARE) return undefined;
  return `${lost} of ${all} nodes are silent at once`;
}

function isLost({ status }: Node): boolean {
  const ready = findCondition(status.conditions, 'Ready');
  return ready?.status === 'Unknown' && ready.reason === LOST;
}

/** Every condition that the agent would report is unknown now. */
function asLost(node: Node, now: string): Node {
  const present = node.status.conditions ?? [];
  const ready: NodeCondition = findCondition(present, 'Ready') ?? { type: 'Ready', status: 'Unknown' };
  const all = present.includes(ready) ? present : [...present, ready];
  const conditions = all.map((condition) => ({
    ...condition,
    status: 'Unknown' as const,
    lastTransitionTime: now,
    reason: LOST,
    message: 'Agent stopped posting node status.',
  }));
  return { ...node, status: { ...node.status, conditions } };
}

/** Takes back what asLost said; the agent's next report says more. */
function asReturned(node: Node, now: string): Node {
  const conditions = (node.status.conditions ?? []).map((condition) =>
    condition.reason === LOST
      ? {
          ...condition,
          status: condition.type === 'Ready' ? ('True' as const) : ('False' as const),
          lastTransitionTime: now,
          reason: 'AgentReturned',
          message: 'Agent renews its lease again.',
        }
      : condition,
  );
  return { ...node, status: { ...node.status, conditions } };
}

/** deletionTimestamp is when the grace ends. */
function isOver(deletionTimestamp: string | undefined, nowMs: number): boolean {
  return deletionTimestamp !== undefined && Date.parse(deletionTimestamp) < nowMs;
}
