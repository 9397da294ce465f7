import type { Command } from 'commander';
import type { Proxy } from '../../api/kinds/proxy.ts';
import type { Cluster, CommandContext } from '../cluster/context.ts';
import { listProxies } from '../cluster/list-proxies.ts';
import { lookAgain } from '../cluster/look-again.ts';
import { type ClusterOptions, withClusterOptions, withOutputOption } from '../cluster/options.ts';
import { CommandError } from '../output/exit-codes.ts';
import { DATA_FORMATS, parseFormat, renderData } from '../output/format.ts';
import { renderTable } from '../output/table.ts';
import { type ChangeProgress, changeProgress } from '../proxies/changes.ts';

interface StatusOptions extends ClusterOptions {
  readonly watch?: boolean;
  readonly limit: string;
}

const WATCH_MS = 500;

export function registerStatus(program: Command, context: CommandContext): void {
  const command = program
    .command('status')
    .description('which proxies carry the newest changes, the slowest of them, and how long it took')
    .option('-w, --watch', 'goes on, and prints what changes')
    .option('--limit <number>', 'how many changes, the newest first', '20')
    .addHelpText('after', '\nExamples:\n  tutti status\n  tutti status -w\n  tutti status -n shop -o json');
  withOutputOption(withClusterOptions(command)).action(async (options: StatusOptions) => {
    const format = parseFormat(options.output, DATA_FORMATS);
    const limit = Number(options.limit);
    if (!Number.isInteger(limit) || limit < 1)
      throw new CommandError(`--limit "${options.limit}": must be a whole number, 1 or more`, { exit: 'usage' });
    const cluster = await context.connect(options);
    try {
      const look = lookAgain(options.watch === true ? { context } : { context, untilMs: 0 });
      let told = '';
      do {
        const text = await look(() => statusText(cluster, options, format, limit));
        if (text !== told) context.terminal.out(told === '' ? text : `\n${text}`);
        told = text;
        if (options.watch === true) await context.clock.sleep(WATCH_MS, context.signal).catch(() => {});
      } while (options.watch === true && !context.signal.aborted);
    } finally {
      await cluster.close();
    }
  });
}

async function statusText(
  cluster: Cluster,
  { namespace }: StatusOptions,
  format: 'json' | 'yaml' | undefined,
  limit: number,
): Promise<string> {
  const proxies = await listProxies(cluster, namespace);
  const connected = proxies.filter(({ status }) => status.connected);
  const synced = connected.filter(isSynced);
  const changes = changeProgress(proxies).slice(0, limit);
  if (format !== undefined) {
    return renderData({ proxies: proxies.length, connected: connected.length, synced: synced.length, changes }, format);
  }
  const head = `${connected.length} of ${proxies.length} proxies connected, ${synced.length} have all they were sent`;
  const behind = connected.filter((proxy) => !isSynced(proxy)).map(({ spec }) => spec.nodeId);
  const waited =
    behind.length === 0 ? '' : `; waiting for ${behind.slice(0, 3).join(', ')}${behind.length > 3 ? ' …' : ''}`;
  if (changes.length === 0) return `${head}${waited}\nno changes since the proxies connected\n`;
  const refusals = changes.flatMap(({ object, refused }) => refused.map((words) => `refused ${object}: ${words}\n`));
  return `${head}${waited}\n\n${renderTable(['CHANGE', 'AT', 'PROXIES', 'TOOK', 'SLOWEST'], changes.map(row))}${refusals.join('')}`;
}

function row({ object, changedAt, acked, proxies, tookMs, slowest }: ChangeProgress): string[] {
  return [object, changedAt, `${acked} of ${proxies}`, tookMs === undefined ? '<waiting>' : `${tookMs}ms`, slowest];
}

function isSynced({ status: { types } }: Proxy): boolean {
  return types.length > 0 && types.every(({ sentVersion, ackedVersion }) => sentVersion === ackedVersion);
}
