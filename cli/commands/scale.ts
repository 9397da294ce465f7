import type { Command } from 'commander';
import type { CommandContext } from '../cluster/context.ts';
import { type ClusterOptions, withClusterOptions } from '../cluster/options.ts';
import { parseResources, resourceName } from '../cluster/resources.ts';
import { parseDuration } from '../output/duration.ts';
import { CommandError } from '../output/exit-codes.ts';
import { waitForRollout } from '../rollout/wait.ts';

interface ScaleOptions extends ClusterOptions {
  readonly replicas: string;
  readonly wait?: boolean;
  readonly timeout: string;
}

export function registerScale(program: Command, context: CommandContext): void {
  const command = program
    .command('scale')
    .description('set how many replicas run')
    .argument('<resources...>', 'deployment/name or replicaset/name')
    .requiredOption('--replicas <number>', 'how many')
    .option('--wait', 'return when they are ready')
    .option('--timeout <duration>', 'how long to wait', '2m')
    .addHelpText(
      'after',
      '\nExamples:\n  tutti scale deployment/catalog-v1 --replicas 4\n  tutti scale deploy catalog-v1 --replicas 0 --wait',
    );
  withClusterOptions(command).action(async (given: string[], options: ScaleOptions) => {
    const replicas = Number(options.replicas);
    if (!Number.isInteger(replicas) || replicas < 0) {
      throw new CommandError(`--replicas "${options.replicas}": must be a whole number, 0 or more`, { exit: 'usage' });
    }
    const cluster = await context.connect(options);
    try {
      const namespace = options.namespace ?? cluster.namespace;
      for (const { kind, names } of parseResources(given)) {
        if (!kind.subresources.includes('scale'))
          throw new CommandError(`${kind.plural}: cannot be scaled`, { exit: 'usage' });
        if (names.length === 0) throw new CommandError(`scale ${kind.plural}: no name given`, { exit: 'usage' });
        for (const name of names) {
          await cluster.client.patch(
            kind,
            { namespace, name },
            { spec: { replicas } },
            { type: 'merge', subresource: 'scale' },
          );
          context.terminal.out(`${resourceName(kind, name)} scaled\n`);
          if (options.wait === true && kind.kind === 'Deployment') {
            await waitForRollout({
              cluster,
              context,
              namespace,
              name,
              timeoutMs: parseDuration('--timeout', options.timeout),
            });
          }
        }
      }
    } finally {
      await cluster.close();
    }
  });
}
