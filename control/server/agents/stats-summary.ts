import { z } from 'zod';
import type { ObjectMeta } from '../../../api/meta/object-meta.ts';
import type { NodeMetrics, PodMetrics } from './metrics-kinds.ts';

const usageSchema = z.object({
  name: z.string(),
  cpuNanoCores: z.number().min(0).default(0),
  memoryWorkingSetBytes: z.number().min(0).default(0),
});

/** What an agent answers to `/stats/summary`. */
export const statsSummarySchema = z.object({
  node: usageSchema,
  pods: z.array(z.object({ namespace: z.string(), name: z.string(), containers: z.array(usageSchema) })),
});

export type StatsSummary = z.infer<typeof statsSummarySchema>;
type Usage = z.infer<typeof usageSchema>;

/** An agent measures over about this time. */
const WINDOW = '10s';

export function nodeMetrics({ node }: StatsSummary, name: string, timestamp: string): NodeMetrics {
  return {
    apiVersion: 'metrics.k8s.io/v1beta1',
    kind: 'NodeMetrics',
    metadata: momentary({ name }, timestamp),
    timestamp,
    window: WINDOW,
    usage: quantities(node),
  };
}

export function podMetrics({ pods }: StatsSummary, timestamp: string): readonly PodMetrics[] {
  return pods.map(({ namespace, name, containers }) => ({
    apiVersion: 'metrics.k8s.io/v1beta1',
    kind: 'PodMetrics',
    metadata: momentary({ name, namespace }, timestamp),
    timestamp,
    window: WINDOW,
    containers: containers.map((container) => ({ name: container.name, usage: quantities(container) })),
  }));
}

/** They live no longer than the answer: without identity or version, as metrics-server gives them. */
function momentary(names: Pick<ObjectMeta, 'name' | 'namespace'>, creationTimestamp: string): ObjectMeta {
  return { ...names, uid: '', resourceVersion: '', creationTimestamp };
}

function quantities({ cpuNanoCores, memoryWorkingSetBytes }: Usage): { cpu: string; memory: string } {
  return { cpu: `${Math.round(cpuNanoCores)}n`, memory: `${Math.ceil(memoryWorkingSetBytes / 1024)}Ki` };
}
