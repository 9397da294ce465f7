import type { Command } from 'commander';
import type { Pod } from '../../api/kinds/pod.ts';
import { podKind } from '../../api/kinds/pod.ts';
import type { Cluster, CommandContext } from '../cluster/context.ts';
import { type ClusterOptions, withClusterOptions } from '../cluster/options.ts';
import { resolveKind, resourcePath } from '../cluster/resources.ts';
import { parseDuration } from '../output/duration.ts';
import { CommandError } from '../output/exit-codes.ts';
import { readLines } from '../output/lines.ts';

interface LogsOptions extends ClusterOptions {
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly container?: string;
  readonly tail?: string;
  readonly since?: string;
  readonly timestamps?: boolean;
  readonly selector?: string;
  readonly prefix?: boolean;
}

export function registerLogs(program: Command, context: CommandContext): void {
  const command = program
    .command('logs')
    .description("print containers' logs")
    .argument('[pod]', 'pod, or deployment/name for all of its pods')
    .option('-f, --follow', 'go on as lines are written')
    .option('-p, --previous', "the container's run before this one")
    .option('-c, --container <name>', 'which container (default: the first)')
    .option('--tail <lines>', 'only the last lines')
    .option('--since <duration>', 'only lines of the last, such as 5m')
    .option('--timestamps', 'with the time of each line')
    .option('-l, --selector <labels>', 'of all pods with these labels')
    .option('--prefix', 'begin each line with its pod')
    .addHelpText(
      'after',
      '\nExamples:\n  tutti logs -f deployment/frontend\n  tutti logs -l app=catalog --tail 20 --prefix',
    );
  withClusterOptions(command).action(async (given: string | undefined, options: LogsOptions) => {
    const query = queryOf(options);
    const cluster = await context.connect(options);
    try {
      const namespace = options.namespace ?? cluster.namespace;
      const pods = await podsOf(cluster, namespace, given, options.selector);
      const prefix = options.prefix === true || (pods.length > 1 && options.follow === true);
      const print = async (pod: string): Promise<void> => {
        const path = `${resourcePath(podKind, namespace, pod)}/log?${query}`;
        for await (const line of readLines(cluster.stream(path, context.signal))) {
          context.terminal.out(prefix ? `[${pod}] ${line}\n` : `${line}\n`);
        }
      };
      if (options.follow === true) await Promise.all(pods.map(print));
      else for (const pod of pods) await print(pod);
    } catch (error) {
      if (!context.signal.aborted) throw error;
    } finally {
      await cluster.close();
    }
  });
}

async function podsOf(
  cluster: Cluster,
  namespace: string,
  given: string | undefined,
  selector: string | undefined,
): Promise<string[]> {
  if (selector !== undefined) return names(await cluster.client.list(podKind, { namespace, labelSelector: selector }));
  if (given === undefined)
    throw new CommandError('logs: no pod given', {
      exit: 'usage',
      hint: 'name one, or use deployment/name or --selector',
    });
  const [first = '', name] = given.split('/');
  if (name === undefined) return [first];
  const kind = resolveKind(first);
  if (kind.kind === 'Pod') return [name];
  const owner = await cluster.client.get(kind, { namespace, name });
  const labels = (owner as unknown as { spec?: { selector?: { matchLabels?: Record<string, string> } } }).spec?.selector
    ?.matchLabels;
  if (labels === undefined)
    throw new CommandError(`logs of ${kind.singular} "${name}": it selects no pods`, { exit: 'usage' });
  const found = names(
    await cluster.client.list(podKind, {
      namespace,
      labelSelector: Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(','),
    }),
  );
  if (found.length === 0) throw new CommandError(`logs of ${kind.singular} "${name}": it has no pods now`);
  return found;
}

function names(list: { readonly items: readonly Pod[] }): string[] {
  return list.items.map(({ metadata }) => metadata.name);
}

function queryOf(options: LogsOptions): string {
  const query = new URLSearchParams();
  if (options.container !== undefined) query.set('container', options.container);
  if (options.follow === true) query.set('follow', 'true');
  if (options.previous === true) query.set('previous', 'true');
  if (options.timestamps === true) query.set('timestamps', 'true');
  if (options.tail !== undefined) {
    if (!/^\d+$/.test(options.tail))
      throw new CommandError(`--tail "${options.tail}": must be a whole number, 0 or more`, { exit: 'usage' });
    query.set('tailLines', options.tail);
  }
  if (options.since !== undefined)
    query.set('sinceSeconds', String(Math.ceil(parseDuration('--since', options.since) / 1000)));
  return query.toString();
}
