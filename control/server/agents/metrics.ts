import { json } from 'node:stream/consumers';
import { type Node, nodeKind } from '../../../api/kinds/node.ts';
import { type Clock, timestamp } from '../../../kit/clock.ts';
import type { Logger } from '../../../kit/log.ts';
import { type LiveKind, liveKind } from '../verbs/live-kinds.ts';
import type { StoredObjects } from '../verbs/stored-objects.ts';
import { type AgentAccess, askAgent } from './agent-request.ts';
import { nodeMetricsKind, podMetricsKind } from './metrics-kinds.ts';
import { nodeMetrics, podMetrics, type StatsSummary, statsSummarySchema } from './stats-summary.ts';

/** An agent that does not answer in this time is left out. */
const DEADLINE_MS = 5000;

export interface MetricsSource {
  readonly objects: StoredObjects;
  readonly agents: AgentAccess;
  readonly clock: Clock;
  readonly log: Logger;
}

/** metrics.k8s.io: asks every agent when it is asked. A node without an answer has no metrics for now. */
export function metricsKinds(source: MetricsSource): readonly LiveKind[] {
  const now = (): string => timestamp(source.clock.now());
  return [
    liveKind(nodeMetricsKind, async () =>
      (await summaries(source)).map(({ node, summary }) => nodeMetrics(summary, node, now())),
    ),
    liveKind(podMetricsKind, async (namespace) =>
      (await summaries(source))
        .flatMap(({ summary }) => podMetrics(summary, now()))
        .filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace),
    ),
  ];
}

interface NodeSummary {
  readonly node: string;
  readonly summary: StatsSummary;
}

async function summaries(source: MetricsSource): Promise<readonly NodeSummary[]> {
  const { objects: nodes } = await source.objects.page(nodeKind, undefined, {});
  const answers = await Promise.all(nodes.map((node) => summaryOf(source, node)));
  return answers.flat();
}

async function summaryOf({ agents, log }: MetricsSource, node: Node): Promise<readonly NodeSummary[]> {
  const { name } = node.metadata;
  try {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const answer = await askAgent(node, '/stats/summary', { ...agents, signal });
    return [{ node: name, summary: statsSummarySchema.parse(await json(answer)) }];
  } catch (error) {
    log.debug({ error, node: name }, 'no metrics from the agent');
    return [];
  }
}
