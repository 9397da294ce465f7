import type { Command } from 'commander';
import { isStatus, mayPass } from '../../api/client/failures.ts';
import type { Kind, KubeObject } from '../../api/kinds/kind.ts';
import { ApiError } from '../../api/meta/api-error.ts';
import type { Cluster, CommandContext } from '../cluster/context.ts';
import { keepWatching, watchVersion } from '../cluster/keep-watching.ts';
import { type ClusterOptions, withClusterOptions, withOutputOption } from '../cluster/options.ts';
import { parseResources, type ResourceArgument, resourcePath } from '../cluster/resources.ts';
import { TABLE, type Table, type TableShow, tableLines } from '../cluster/server-table.ts';
import { CommandError } from '../output/exit-codes.ts';
import { type Format, parseFormat, renderData } from '../output/format.ts';
import { readLines } from '../output/lines.ts';
import { growingTable } from '../output/table.ts';

const GET_FORMATS = ['json', 'yaml', 'wide', 'name'] as const;

interface GetOptions extends ClusterOptions {
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly watch?: boolean;
}

export function registerGet(program: Command, context: CommandContext): void {
  const command = program
    .command('get')
    .description('list objects')
    .argument('<resources...>', 'kind, kind name, or kind/name')
    .option('-A, --all-namespaces', 'of every namespace')
    .option('-l, --selector <labels>', 'only with these labels, such as app=web,version!=v1')
    .option('--field-selector <fields>', 'only with these fields, such as spec.nodeName=node-1')
    .option('-w, --watch', 'go on and print each change')
    .addHelpText(
      'after',
      `
Examples:
  tutti get pods                      pods of the namespace
  tutti get deploy,svc -A             Deployments and Services of every namespace
  tutti get httproute catalog -o yaml one route, whole
  tutti get pods -l app=catalog -w    catalog's pods, and each change of them`,
    );
  withOutputOption(withClusterOptions(command), GET_FORMATS).action(async (given: string[], options: GetOptions) => {
    const format = parseFormat(options.output, GET_FORMATS);
    const resources = parseResources(given);
    if (options.watch === true && (resources.length > 1 || (resources[0]?.names.length ?? 0) > 1)) {
      throw new CommandError('--watch: follows one kind, or one object', { exit: 'usage' });
    }
    const cluster = await context.connect(options);
    try {
      const namespace = options.allNamespaces === true ? undefined : (options.namespace ?? cluster.namespace);
      const got: Got = { context, cluster, namespace, options, format };
      if (format === 'json' || format === 'yaml' || format === 'name') await printObjects(got, resources, format);
      else await printTables(got, resources);
    } catch (error) {
      if (!context.signal.aborted) throw error;
    } finally {
      await cluster.close();
    }
  });
}

interface Got {
  readonly context: CommandContext;
  readonly cluster: Cluster;
  /** All of them when undefined. */
  readonly namespace: string | undefined;
  readonly options: GetOptions;
  readonly format: Format | undefined;
}

type ObjectFormat = Exclude<Format, 'wide'>;

async function printObjects(
  { context, cluster, namespace, options }: Got,
  resources: readonly ResourceArgument[],
  format: ObjectFormat,
): Promise<void> {
  const found: KubeObject[] = [];
  let resourceVersion = '0';
  for (const { kind, names } of resources) {
    for (const name of names) found.push(await cluster.client.get(kind, refOf(kind, namespace, name)));
    if (names.length > 0) continue;
    const list = await cluster.client.list(kind, listOptions(kind, namespace, options));
    found.push(...list.items);
    resourceVersion = list.resourceVersion;
  }
  const [{ kind, names }] = resources as readonly [ResourceArgument];
  const single = resources.length === 1 && names.length === 1;
  if (options.watch !== true) {
    context.terminal.out(renderFound(found, single, format));
    return;
  }
  // One object after the other, so that what reads them need not wait for an end.
  const print = (object: KubeObject): void =>
    context.terminal.out(`${format === 'yaml' ? '---\n' : ''}${renderFound([object], true, format)}`);
  found.forEach(print);
  const changes = keepWatching({
    context,
    from: single ? (found[0]?.metadata.resourceVersion ?? '0') : resourceVersion,
    open: (from) =>
      cluster.client.watch(kind, {
        ...listOptions(kind, namespace, options),
        ...(single ? { fieldSelector: `metadata.name=${names[0]}` } : {}),
        resourceVersion: from,
        signal: context.signal,
      }),
    versionOf: watchVersion,
  });
  for await (const change of changes) if (change.type !== 'BOOKMARK') print(change.object);
}

function renderFound(found: readonly KubeObject[], single: boolean, format: ObjectFormat): string {
  if (format === 'name') {
    return found
      .map(({ kind, apiVersion, metadata }) => {
        const group = apiVersion.includes('/') ? `.${apiVersion.split('/')[0]}` : '';
        return `${kind.toLowerCase()}${group}/${metadata.name}\n`;
      })
      .join('');
  }
  const items = found.map(withoutManagedFields);
  const value = single ? items[0] : { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '' }, items };
  return renderData(value, format);
}

/** Who set which field is for tools: kubectl shows it with --show-managed-fields. */
function withoutManagedFields<T extends KubeObject>(object: T): T {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

async function printTables(got: Got, resources: readonly ResourceArgument[]): Promise<void> {
  const { context, cluster, namespace, options } = got;
  const { terminal } = context;
  let isFirst = true;
  for (const { kind, names } of resources) {
    const collection = resourcePath(kind, namespace) + queryOf(options);
    const paths = names.length > 0 ? names.map((name) => resourcePath(kind, namespace, name)) : [collection];
    const show = showOf(got, kind, resources.length > 1 ? kind : undefined);
    const tables: Table[] = [];
    for (const path of paths) tables.push((await cluster.get(path, TABLE)) as Table);
    const lines = tables.map((table) => tableLines(table, show));
    const [header] = lines.map((each) => each.header);
    const rows = lines.flatMap((each) => each.rows);
    const render = growingTable();
    if (header !== undefined && rows.length > 0) {
      terminal.out(`${isFirst ? '' : '\n'}${render([header, ...rows])}`);
      isFirst = false;
    }
    if (options.watch === true) {
      const from = tables[0]?.metadata?.resourceVersion ?? '0';
      await watchTable(got, { kind, name: names[0], from, headerShown: !isFirst, render });
      return;
    }
  }
  if (isFirst) {
    const everywhere = namespace === undefined || resources.every(({ kind }) => !kind.namespaced);
    terminal.err(everywhere ? 'No resources found\n' : `No resources found in ${namespace} namespace.\n`);
  }
}

function showOf({ format, namespace }: Got, kind: Kind, prefix: Kind | undefined): TableShow {
  return { wide: format === 'wide', withNamespace: kind.namespaced && namespace === undefined, prefix };
}

interface TableWatch {
  readonly kind: Kind;
  readonly name: string | undefined;
  /** The resourceVersion that has been shown. */
  readonly from: string;
  readonly headerShown: boolean;
  readonly render: (lines: readonly (readonly string[])[]) => string;
}

async function watchTable(got: Got, { kind, name, from, headerShown, render }: TableWatch): Promise<void> {
  const { context, cluster, namespace, options } = got;
  const parameters = new URLSearchParams(queryOf(options).slice(1));
  parameters.set('watch', 'true');
  parameters.set('allowWatchBookmarks', 'true');
  if (name !== undefined) parameters.set('fieldSelector', `metadata.name=${name}`);
  const lines = keepWatching({
    context,
    from,
    open: (seen) => {
      parameters.set('resourceVersion', seen);
      const path = `${resourcePath(kind, namespace)}?${parameters.toString()}`;
      return tableEvents(kind, cluster.stream(path, context.signal, TABLE));
    },
    versionOf: ({ object }) =>
      object.metadata?.resourceVersion ?? object.rows?.at(-1)?.object?.metadata?.resourceVersion,
  });
  let isHeaderDue = !headerShown;
  let columns: Table['columnDefinitions'];
  for await (const { type, object } of lines) {
    if (type === 'BOOKMARK') continue;
    // The server names the columns with the first event only.
    columns = (object.columnDefinitions?.length ?? 0) > 0 ? object.columnDefinitions : columns;
    const table = { ...object, columnDefinitions: columns ?? [] };
    const { header, rows } = tableLines(table, showOf(got, kind, undefined));
    context.terminal.out(render(isHeaderDue ? [header, ...rows] : rows));
    isHeaderDue = false;
  }
}

interface TableEvent {
  readonly type: string;
  readonly object: Table;
}

async function* tableEvents(kind: Kind, chunks: AsyncIterable<Buffer>): AsyncGenerator<TableEvent, void, undefined> {
  for await (const line of readLines(chunks)) {
    const event = JSON.parse(line) as TableEvent;
    if (event.type === 'ERROR') throw endOf(kind, event.object);
    yield event;
  }
}

function endOf(kind: Kind, status: unknown): Error {
  const error = isStatus(status) ? new ApiError(status) : ApiError.internal('the server ended it without a reason');
  return mayPass(error) ? error : new CommandError(`watch of ${kind.plural}: ${error.message}`, { cause: error });
}

function queryOf(options: GetOptions): string {
  const parameters = new URLSearchParams();
  if (options.selector !== undefined) parameters.set('labelSelector', options.selector);
  if (options.fieldSelector !== undefined) parameters.set('fieldSelector', options.fieldSelector);
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}

function listOptions(kind: Kind, namespace: string | undefined, options: GetOptions) {
  return {
    ...(kind.namespaced && namespace !== undefined ? { namespace } : {}),
    ...(options.selector === undefined ? {} : { labelSelector: options.selector }),
    ...(options.fieldSelector === undefined ? {} : { fieldSelector: options.fieldSelector }),
  };
}

function refOf(kind: Kind, namespace: string | undefined, name: string) {
  return kind.namespaced ? { namespace: namespace ?? 'default', name } : { name };
}
