import { objectPath } from '../../api/client/paths.ts';
import { type Pod, podKind } from '../../api/kinds/pod.ts';
import { hasCode } from '../../api/meta/api-error.ts';
import type { Cluster, CommandContext } from '../cluster/context.ts';
import { type Look, lookAgain } from '../cluster/look-again.ts';
import { CommandError } from '../output/exit-codes.ts';
import { type DrainFlags, decideDrain } from './decide.ts';

export interface Drain extends DrainFlags {
  readonly cluster: Cluster;
  readonly context: CommandContext;
  readonly node: string;
  /** Each pod's own when missing. */
  readonly gracePeriodSeconds?: number;
  readonly timeoutMs: number;
}

const POLL_MS = 250;

/** Evicts every pod of the node and returns when all are gone. Throws when one stands in the way, or the time is over. */
export async function drainNode(drain: Drain): Promise<void> {
  const { cluster, context, node, timeoutMs } = drain;
  const deadline = context.clock.monotonic() + timeoutMs;
  const look = lookAgain({ context, untilMs: deadline });
  const { evict, refused } = decideDrain(await look(() => podsOf(cluster, node)), drain);
  if (refused.length > 0) {
    throw new CommandError(`drain node "${node}": nothing was evicted:\n  ${refused.join('\n  ')}`, {
      hint: `the node takes no new pods; "tutti uncordon ${node}" takes that back`,
    });
  }
  for (const pod of evict) {
    context.terminal.err(`evicting pod ${nameOf(pod)}\n`);
    await evictPod(drain, pod, look);
  }
  for (let waiting = new Map(evict.map((pod) => [pod.metadata.uid, pod])); waiting.size > 0; ) {
    const present = new Set((await look(() => podsOf(cluster, node))).map(({ metadata }) => metadata.uid));
    for (const [uid, pod] of waiting) if (!present.has(uid)) context.terminal.out(`pod/${pod.metadata.name} evicted\n`);
    waiting = new Map([...waiting].filter(([uid]) => present.has(uid)));
    if (waiting.size === 0) break;
    if (context.clock.monotonic() > deadline) {
      throw new CommandError(
        `drain node "${node}": not gone after ${timeoutMs / 1000} s: ${[...waiting.values()].map(nameOf).join(', ')}`,
        {
          exit: 'timeout',
          hint: 'wait longer with --timeout, or give them less time with --grace-period',
        },
      );
    }
    await context.clock.sleep(POLL_MS, context.signal);
  }
}

async function podsOf({ client }: Cluster, node: string): Promise<readonly Pod[]> {
  return (await client.list(podKind, { fieldSelector: `spec.nodeName=${node}` })).items;
}

/** An eviction that is asked for twice is one: it names the pod's uid. */
async function evictPod({ cluster, gracePeriodSeconds }: Drain, pod: Pod, look: Look): Promise<void> {
  const { name, namespace = '', uid } = pod.metadata;
  const grace = gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds };
  const eviction = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name, namespace },
    deleteOptions: { preconditions: { uid }, ...grace },
  };
  try {
    await look(() => cluster.post(`${objectPath(podKind, { name, namespace })}/eviction`, eviction));
  } catch (error) {
    if (!hasCode(error, 404)) throw error;
  }
}

function nameOf({ metadata: { namespace, name } }: Pod): string {
  return `${namespace ?? ''}/${name}`;
}
