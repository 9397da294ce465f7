import type { Command } from 'commander';
import { nodeKind } from '../../api/kinds/node.ts';
import type { Cluster, CommandContext } from '../cluster/context.ts';
import { type ClusterOptions, withClusterOptions } from '../cluster/options.ts';
import { withCluster } from '../cluster/with-cluster.ts';
import { drainNode } from '../drain/drain.ts';
import { parseDuration } from '../output/duration.ts';
import { CommandError } from '../output/exit-codes.ts';

interface DrainOptions extends ClusterOptions {
  readonly force?: boolean;
  readonly deleteEmptydirData?: boolean;
  readonly gracePeriod?: string;
  readonly timeout: string;
}

/** cordon, uncordon and drain, with kubectl's flags. */
export function registerNodes(program: Command, context: CommandContext): void {
  const cordoning = [
    ['cordon', 'place no new pods on these nodes', 'unschedulable'],
    ['uncordon', 'place pods on these nodes again', 'schedulable'],
  ] as const;
  for (const [name, description, wanted] of cordoning) {
    const command = program
      .command(name)
      .description(description)
      .argument('<nodes...>', 'names of nodes')
      .addHelpText('after', `\nExample:\n  tutti ${name} node-2`);
    withClusterOptions(command).action(async (nodes: string[], options: ClusterOptions) => {
      await withCluster(context, options, async (cluster) => {
        for (const node of nodes) await mark(cluster, context, node, wanted);
      });
    });
  }
  const drain = program
    .command('drain')
    .description('move every pod off a node, and place no new ones on it')
    .argument('<node>', 'name of the node')
    .option('--force', 'also pods that nobody makes anew')
    .option('--delete-emptydir-data', 'also pods whose emptyDir volumes are lost with them')
    .option('--grace-period <seconds>', "time that each pod gets to end (default: the pod's own)")
    .option('--timeout <duration>', 'how long to wait until all are gone', '5m')
    .addHelpText('after', '\nExamples:\n  tutti drain node-2\n  tutti drain node-2 && tutti delete node node-2');
  withClusterOptions(drain).action(async (node: string, options: DrainOptions) => {
    const timeoutMs = parseDuration('--timeout', options.timeout);
    const grace = options.gracePeriod === undefined ? {} : { gracePeriodSeconds: seconds(options.gracePeriod) };
    const flags = { force: options.force === true, deleteEmptyDirData: options.deleteEmptydirData === true };
    await withCluster(context, options, async (cluster) => {
      await mark(cluster, context, node, 'unschedulable');
      await drainNode({ cluster, context, node, timeoutMs, ...flags, ...grace });
      context.terminal.out(`node/${node} drained\n`);
    });
  });
}

async function mark(
  { client }: Cluster,
  { terminal }: CommandContext,
  name: string,
  wanted: 'schedulable' | 'unschedulable',
): Promise<void> {
  const word = wanted === 'unschedulable' ? 'cordoned' : 'uncordoned';
  const { spec } = await client.get(nodeKind, { name });
  if ((spec.unschedulable === true) === (wanted === 'unschedulable')) {
    terminal.out(`node/${name} already ${word}\n`);
    return;
  }
  await client.patch(
    nodeKind,
    { name },
    { spec: { unschedulable: wanted === 'unschedulable' ? true : null } },
    { type: 'merge' },
  );
  terminal.out(`node/${name} ${word}\n`);
}

function seconds(given: string): number {
  if (!/^\d{1,9}$/.test(given))
    throw new CommandError(`--grace-period "${given}": must be a whole number of seconds`, { exit: 'usage' });
  return Number(given);
}
