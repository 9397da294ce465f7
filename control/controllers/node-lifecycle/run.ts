import { leaseKind } from '../../../api/kinds/lease.ts';
import { type Node, nodeKind } from '../../../api/kinds/node.ts';
import { type Pod, podKind } from '../../../api/kinds/pod.ts';
import { hasCode } from '../../../api/meta/api-error.ts';
import { timestamp } from '../../../kit/clock.ts';
import { type ControllerContext, type Running, refOf, untilSynced } from '../controller.ts';
import { asNotReady, decideNodeLifecycle, type NodeLifecyclePlan, type NodeView } from './decide.ts';
import { Silence } from './silence.ts';

const COMPONENT = 'node-controller';
const LEASE_NAMESPACE = 'kube-node-lease';
const LOOK_EVERY_MS = 500;
/** A look that comes later than this after the last was held up with the whole process. */
const STANDSTILL_MS = 3000;

/** Watches the nodes' leases and replaces the pods of those that are lost: see decide.ts. */
export function startNodeLifecycleController(context: ControllerContext): Running {
  const abort = new AbortController();
  const done = watchNodes(context, abort.signal);
  return {
    close: async () => {
      abort.abort();
      await done;
    },
  };
}

async function watchNodes(context: ControllerContext, signal: AbortSignal): Promise<void> {
  const { clock, informers, log } = context;
  const [nodes, leases, pods] = [informers.of(nodeKind), informers.of(leaseKind), informers.of(podKind)];
  const silence = new Silence();
  if (!(await untilSynced(informers, signal))) return;
  let brake: string | undefined;
  for (let last = clock.monotonic(); !signal.aborted; ) {
    const now = clock.monotonic();
    if (now - last > STANDSTILL_MS) silence.forgive(now - last - LOOK_EVERY_MS);
    last = now;
    const bound = pods.list().flatMap(({ spec }) => spec.nodeName || []);
    const names = new Set([...nodes.list().map(({ metadata }) => metadata.name), ...bound]);
    silence.retain(names);
    const views = [...names].map((name): NodeView => {
      const lease = leases.get(`${LEASE_NAMESPACE}/${name}`);
      const node = nodes.get(name);
      return { name, node, ...silence.observe(name, lease, now), pods: pods.byIndex('node', name) };
    });
    const plan = decideNodeLifecycle(views, clock.now(), timestamp(clock.now()));
    if (plan.brake !== undefined && plan.brake !== brake)
      log.warn({ reason: plan.brake }, `${COMPONENT}: moves no pods`);
    // Those that were cut off together do not come back at the same moment (handleDisruption in pkg/controller/nodelifecycle).
    const isReleased = brake !== undefined && plan.brake === undefined;
    if (isReleased) silence.beginAnew(now);
    brake = plan.brake;
    await execute(context, isReleased ? { ...plan, evict: [], forget: [] } : plan);
    await clock.sleep(LOOK_EVERY_MS, signal).catch(() => {});
  }
}

/** Each write for itself: one that fails is planned again at the next look. */
async function execute(context: ControllerContext, plan: NodeLifecyclePlan): Promise<void> {
  const { client, log } = context;
  const attempt = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!hasCode(error, 404)) log.debug({ error }, `${COMPONENT}: will try again`);
    }
  };
  for (const node of plan.lost) await attempt(() => markNode(context, node, 'NodeNotReady'));
  for (const node of plan.returned) await attempt(() => markNode(context, node, 'NodeReady'));
  await Promise.all(plan.evict.map((pod) => attempt(() => evict(context, pod))));
  const forget = async (pod: Pod): Promise<void> => {
    const { uid } = pod.metadata;
    await client.delete(podKind, refOf(pod), { gracePeriodSeconds: 0, preconditions: { uid } });
  };
  await Promise.all(plan.forget.map((pod) => attempt(() => forget(pod))));
}

async function markNode({ client, recorder }: ControllerContext, node: Node, reason: string): Promise<void> {
  await client.updateStatus(nodeKind, node);
  const message = `Node ${node.metadata.name} status is now: ${reason}`;
  recorder.record({ component: COMPONENT }, nodeKind, node, { type: 'Normal', reason, message });
}

async function evict({ client, clock, recorder }: ControllerContext, pod: Pod): Promise<void> {
  const notReady = asNotReady(pod, timestamp(clock.now()));
  if (notReady !== undefined) await client.updateStatus(podKind, notReady);
  const { uid, namespace = '', name } = pod.metadata;
  await client.delete(podKind, refOf(pod), { preconditions: { uid } });
  const message = `Marking for deletion Pod ${namespace}/${name}`;
  recorder.record({ component: COMPONENT }, podKind, pod, { type: 'Normal', reason: 'TaintManagerEviction', message });
}
