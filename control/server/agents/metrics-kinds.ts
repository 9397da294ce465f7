import { z } from 'zod';
import { ageColumn, column, nameColumn } from '../../../api/kinds/columns.ts';
import { defineKind, identity, type Stored } from '../../../api/kinds/define-kind.ts';
import { resourceListSchema } from '../../../api/kinds/resources.ts';
import { timeSchema } from '../../../api/meta/time.ts';

/* metrics.k8s.io/v1beta1: what `kubectl top` reads. Made when asked for, never stored. */

const measured = {
  timestamp: timeSchema.describe('When it was measured.'),
  window: z.string().describe('The time that the figures are of, as a duration.'),
};

const nodeMetricsSchema = z
  .strictObject({ ...identity('metrics.k8s.io/v1beta1', 'NodeMetrics'), ...measured, usage: resourceListSchema })
  .describe('What a node uses.');

const podMetricsSchema = z
  .strictObject({
    ...identity('metrics.k8s.io/v1beta1', 'PodMetrics'),
    ...measured,
    containers: z.array(z.strictObject({ name: z.string(), usage: resourceListSchema })),
  })
  .describe('What the containers of a pod use.');

export type NodeMetrics = Stored<typeof nodeMetricsSchema>;
export type PodMetrics = Stored<typeof podMetricsSchema>;

const group = { group: 'metrics.k8s.io', version: 'v1beta1' };

export const nodeMetricsKind = defineKind<NodeMetrics>({
  ...group,
  kind: 'NodeMetrics',
  plural: 'nodes',
  namespaced: false,
  schema: nodeMetricsSchema,
  columns: [
    nameColumn,
    column('CPU', 'CPU in use.', ({ usage }) => usage['cpu'] ?? ''),
    column('Memory', 'Memory in use.', ({ usage }) => usage['memory'] ?? ''),
    ageColumn,
  ],
});

export const podMetricsKind = defineKind<PodMetrics>({
  ...group,
  kind: 'PodMetrics',
  plural: 'pods',
  namespaced: true,
  schema: podMetricsSchema,
  columns: [
    nameColumn,
    column('Containers', 'CPU and memory in use, by container.', ({ containers }) =>
      containers.map(({ name, usage }) => `${name}: ${usage['cpu'] ?? ''} ${usage['memory'] ?? ''}`).join(', '),
    ),
    ageColumn,
  ],
});
