import type { Command } from 'commander';
import { type Event, eventKind } from '../../api/kinds/event.ts';
import { humanDuration } from '../../api/meta/human-duration.ts';
import type { CommandContext } from '../cluster/context.ts';
import { inOrder, lastSeenMs } from '../cluster/event-order.ts';
import { keepWatching, watchVersion } from '../cluster/keep-watching.ts';
import { type ClusterOptions, withClusterOptions, withOutputOption } from '../cluster/options.ts';
import { parseResources } from '../cluster/resources.ts';
import { CommandError } from '../output/exit-codes.ts';
import { DATA_FORMATS, parseFormat, renderData } from '../output/format.ts';
import { growingTable } from '../output/table.ts';

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
    const format = parseFormat(options.output, DATA_FORMATS);
    const subject = options.for === undefined ? undefined : parseSubject(options.for);
    const types = options.types === undefined ? TYPES : parseTypes(options.types);
    const cluster = await context.connect(options);
    try {
      const render = growingTable();
      const where = options.allNamespaces === true ? {} : { namespace: options.namespace ?? cluster.namespace };
      const list = await cluster.client.list(eventKind, where);
      const wanted = inOrder(list.items.filter((event) => isWanted(event, subject, types)));
      if (format === 'json' || format === 'yaml') context.terminal.out(renderData(wanted, format));
      else if (wanted.length === 0 && options.watch !== true) context.terminal.err('no events\n');
      else {
        const rows = wanted.map((event) => rowOf(event, options, context.clock.now()));
        context.terminal.out(render([headerOf(options), ...rows]));
      }
      if (options.watch !== true) return;
      const events = keepWatching({
        context,
        from: list.resourceVersion,
        open: (resourceVersion) =>
          cluster.client.watch(eventKind, { ...where, resourceVersion, signal: context.signal }),
        versionOf: watchVersion,
      });
      for await (const change of events) {
        if (change.type === 'BOOKMARK' || change.type === 'DELETED' || !isWanted(change.object, subject, types))
          continue;
        if (format === 'json' || format === 'yaml')
          context.terminal.out(`${format === 'yaml' ? '---\n' : ''}${renderData(change.object, format)}`);
        else context.terminal.out(render([rowOf(change.object, options, context.clock.now())]));
      }
    } catch (error) {
      if (!context.signal.aborted) throw error;
    } finally {
      await cluster.close();
    }
  });
}

interface Subject {
  readonly kind: string;
  readonly name: string;
}

function parseSubject(given: string): Subject {
  const [resource] = parseResources([given]);
  const [name] = resource?.names ?? [];
  if (resource === undefined || name === undefined)
    throw new CommandError(`--for "${given}": not of the form kind/name`, { exit: 'usage' });
  return { kind: resource.kind.kind, name };
}

const TYPES = ['Normal', 'Warning'];

/** As they are written in events, whatever case was typed. */
function parseTypes(given: string): string[] {
  return given.split(',').map((type) => {
    const known = TYPES.find((each) => each.toLowerCase() === type.trim().toLowerCase());
    if (known === undefined) throw new CommandError(`--types "${given}": must be Normal or Warning`, { exit: 'usage' });
    return known;
  });
}

function isWanted(event: Event, subject: Subject | undefined, types: readonly string[]): boolean {
  const { kind, name } = event.involvedObject;
  if (!types.includes(event.type ?? '')) return false;
  return subject === undefined || (subject.kind === kind && subject.name === name);
}

function headerOf(options: EventsOptions): string[] {
  const header = ['LAST SEEN', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE'];
  return options.allNamespaces === true ? ['NAMESPACE', ...header] : header;
}

function rowOf(event: Event, options: EventsOptions, nowMs: number): string[] {
  const { kind = '', name = '' } = event.involvedObject;
  const seen = humanDuration(nowMs - lastSeenMs(event));
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
