import type { Command } from 'commander';
import { type Event, eventKind } from '../../api/kinds/event.ts';
import { humanDuration } from '../../api/meta/human-duration.ts';
import type { CommandContext } from '../cluster/context.ts';
import { type ClusterOptions, withClusterOptions, withOutputOption } from '../cluster/options.ts';
import { parseFormat, renderData } from '../output/format.ts';
import { renderTable } from '../output/table.ts';

interface EventsOptions extends ClusterOptions {
  readonly for?: string;
  readonly types?: string;
  readonly watch?: boolean;
}

export function registerEvents(program: Command, context: CommandContext): void {
  const command = program
    .command('events')
    .description('what has happened, oldest first')
    .option('-A, --all-namespaces', 'of every namespace')
    .option('--for <kind/name>', 'only of this object')
    .option('--types <types>', 'only Normal or Warning')
    .option('-w, --watch', 'go on and print each new one')
    .addHelpText(
      'after',
      '\nExamples:\n  tutti events\n  tutti events --for pod/web-1 --types Warning\n  tutti events -A -w',
    );
  withOutputOption(withClusterOptions(command)).action(async (options: EventsOptions) => {
    const format = options.output === undefined ? undefined : parseFormat(options.output);
    const cluster = await context.connect(options);
    try {
      const where = options.allNamespaces === true ? {} : { namespace: options.namespace ?? cluster.namespace };
      const list = await cluster.client.list(eventKind, where);
      const wanted = list.items
        .filter((event) => isWanted(event, options))
        .sort((one, other) => lastSeen(one) - lastSeen(other));
      if (format === 'json' || format === 'yaml') context.terminal.out(renderData(wanted, format));
      else if (wanted.length === 0) context.terminal.err('no events\n');
      else
        context.terminal.out(
          renderTable(
            headerOf(options),
            wanted.map((event) => rowOf(event, options, context.clock.now())),
          ),
        );
      if (options.watch !== true) return;
      const events = cluster.client.watch(eventKind, {
        ...where,
        resourceVersion: list.resourceVersion,
        signal: context.signal,
      });
      for await (const change of events) {
        if (change.type === 'BOOKMARK' || change.type === 'DELETED' || !isWanted(change.object, options)) continue;
        context.terminal.out(`${rowOf(change.object, options, context.clock.now()).join('   ')}\n`);
      }
    } catch (error) {
      if (!context.signal.aborted) throw error;
    } finally {
      await cluster.close();
    }
  });
}

function isWanted(event: Event, options: EventsOptions): boolean {
  const { kind = '', name = '' } = event.involvedObject;
  if (options.types !== undefined && !options.types.split(',').includes(event.type ?? '')) return false;
  return options.for === undefined || options.for.toLowerCase() === `${kind}/${name}`.toLowerCase();
}

function lastSeen(event: Event): number {
  return Date.parse(event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp);
}

function headerOf(options: EventsOptions): string[] {
  const header = ['LAST SEEN', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE'];
  return options.allNamespaces === true ? ['NAMESPACE', ...header] : header;
}

function rowOf(event: Event, options: EventsOptions, nowMs: number): string[] {
  const { kind = '', name = '' } = event.involvedObject;
  const seen = humanDuration(nowMs - lastSeen(event));
  const count = (event.count ?? 1) > 1 ? ` (x${event.count})` : '';
  const row = [
    `${seen}${count}`,
    event.type ?? '',
    event.reason ?? '',
    `${kind}/${name}`,
    (event.message ?? '').trim(),
  ];
  return options.allNamespaces === true ? [event.metadata.namespace ?? '', ...row] : row;
}
