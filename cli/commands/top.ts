import type { Command } from 'commander';
import { quantityMilliValue, quantityValue } from '../../api/meta/quantity.ts';
import type { CommandContext } from '../cluster/context.ts';
import { type ClusterOptions, withClusterOptions, withOutputOption } from '../cluster/options.ts';
import { CommandError } from '../output/exit-codes.ts';
import { DATA_FORMATS, parseFormat, renderData } from '../output/format.ts';
import { renderTable } from '../output/table.ts';

interface Usage {
  readonly cpu: string;
  readonly memory: string;
}

/** As much of metrics.k8s.io/v1beta1 as is printed. */
interface Metrics {
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly usage?: Usage;
  readonly containers?: readonly { readonly name: string; readonly usage: Usage }[];
}

interface Row {
  readonly names: readonly string[];
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

interface TopOptions extends ClusterOptions {
  readonly containers?: boolean;
  readonly selector?: string;
  readonly sortBy: string;
}

const MEBIBYTE = 1024 * 1024;

export function registerTop(program: Command, context: CommandContext): void {
  const command = program
    .command('top')
    .description('what nodes or pods use of processor and memory')
    .argument('<kind>', 'nodes or pods')
    .option('-A, --all-namespaces', 'pods of every namespace')
    .option('-l, --selector <labels>', 'only pods with these labels')
    .option('--containers', 'each container by itself')
    .option('--sort-by <what>', 'cpu, memory or name', 'name')
    .addHelpText('after', '\nExamples:\n  tutti top nodes\n  tutti top pods -A --sort-by memory');
  withOutputOption(withClusterOptions(command)).action(async (kind: string, options: TopOptions) => {
    const format = parseFormat(options.output, DATA_FORMATS);
    const nodes = ['nodes', 'node', 'no'].includes(kind);
    if (!nodes && !['pods', 'pod', 'po'].includes(kind))
      throw new CommandError(`top "${kind}": must be nodes or pods`, { exit: 'usage' });
    const cluster = await context.connect(options);
    try {
      const namespace = options.namespace ?? cluster.namespace;
      const query = options.selector === undefined ? '' : `?labelSelector=${encodeURIComponent(options.selector)}`;
      const list = (await cluster.get(
        `/apis/metrics.k8s.io/v1beta1${pathOf({ nodes, all: options.allNamespaces === true, namespace })}${query}`,
      )) as {
        readonly items: readonly Metrics[];
      };
      if (format === 'json' || format === 'yaml') context.terminal.out(renderData(list, format));
      else if (list.items.length === 0) context.terminal.err('no figures yet: agents measure every few seconds\n');
      else context.terminal.out(tableOf(list.items, options));
    } finally {
      await cluster.close();
    }
  });
}

function pathOf(wanted: { readonly nodes: boolean; readonly all: boolean; readonly namespace: string }): string {
  if (wanted.nodes) return '/nodes';
  return wanted.all ? '/pods' : `/namespaces/${encodeURIComponent(wanted.namespace)}/pods`;
}

function tableOf(items: readonly Metrics[], options: TopOptions): string {
  const header = [
    ...(options.allNamespaces === true ? ['NAMESPACE'] : []),
    'NAME',
    ...(options.containers === true ? ['CONTAINER'] : []),
  ];
  const rows = items
    .flatMap((item) => rowsOf(item, options))
    .sort(orderBy(options.sortBy))
    .map(({ names, cpuMillis, memoryBytes }) => [
      ...names,
      `${Math.ceil(cpuMillis)}m`,
      `${Math.round(memoryBytes / MEBIBYTE)}Mi`,
    ]);
  return renderTable([...header, 'CPU(cores)', 'MEMORY(bytes)'], rows);
}

function rowsOf({ metadata, usage, containers = [] }: Metrics, options: TopOptions): Row[] {
  const names = [...(options.allNamespaces === true ? [metadata.namespace ?? ''] : []), metadata.name];
  const row = (all: readonly Usage[], more: readonly string[]): Row => ({
    names: [...names, ...more],
    cpuMillis: all.reduce((sum, { cpu }) => sum + quantityMilliValue(cpu), 0),
    memoryBytes: all.reduce((sum, { memory }) => sum + quantityValue(memory), 0),
  });
  if (usage !== undefined) return [row([usage], [])];
  if (options.containers === true) return containers.map((container) => row([container.usage], [container.name]));
  return [
    row(
      containers.map((container) => container.usage),
      [],
    ),
  ];
}

function orderBy(what: string): (one: Row, other: Row) => number {
  switch (what) {
    case 'cpu':
      return (one, other) => other.cpuMillis - one.cpuMillis;
    case 'memory':
      return (one, other) => other.memoryBytes - one.memoryBytes;
    case 'name':
      return (one, other) => one.names.join('/').localeCompare(other.names.join('/'));
    default:
      throw new CommandError(`--sort-by "${what}": must be cpu, memory or name`, { exit: 'usage' });
  }
}
