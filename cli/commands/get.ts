import type { Command } from 'commander';
import type { Kind } from '../../api/kinds/kind.ts';
import type { Cluster, CommandContext } from '../cluster/context.ts';
import { type ClusterOptions, withClusterOptions, withOutputOption } from '../cluster/options.ts';
import { parseResources, resourceName, resourcePath } from '../cluster/resources.ts';
import { type Format, parseFormat, renderData } from '../output/format.ts';
import { readLines } from '../output/lines.ts';
import { renderTable } from '../output/table.ts';

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

interface GetOptions extends ClusterOptions {
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly watch?: boolean;
}

/** As much of metav1.Table as is printed. */
interface Table {
  readonly metadata?: { readonly resourceVersion?: string };
  readonly columnDefinitions?: readonly { readonly name: string; readonly priority?: number }[] | null;
  readonly rows?:
    | readonly { readonly cells: readonly unknown[]; readonly object?: { metadata?: { namespace?: string } } }[]
    | null;
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
  withOutputOption(withClusterOptions(command)).action(async (given: string[], options: GetOptions) => {
    const format = options.output === undefined ? undefined : parseFormat(options.output);
    const resources = parseResources(given);
    const cluster = await context.connect(options);
    try {
      const namespace = options.allNamespaces === true ? undefined : (options.namespace ?? cluster.namespace);
      if (format === 'json' || format === 'yaml' || format === 'name') await printObjects();
      else {
        let blank = false;
        for (const { kind, names } of resources) {
          const several = resources.length > 1;
          blank = await printTables(context, cluster, {
            kind,
            names,
            namespace,
            options,
            wide: format === 'wide',
            several,
            blank,
          });
        }
      }

      async function printObjects(): Promise<void> {
        const found: unknown[] = [];
        for (const { kind, names } of resources) {
          if (names.length > 0)
            for (const name of names) found.push(await cluster.client.get(kind, refOf(kind, namespace, name)));
          else found.push(...(await cluster.client.list(kind, listOptions(kind, namespace, options))).items);
        }
        const single = resources.length === 1 && resources[0]?.names.length === 1;
        context.terminal.out(renderFound(found, single, format));
      }
    } finally {
      await cluster.close();
    }
  });
}

function renderFound(found: readonly unknown[], single: boolean, format: Format | undefined): string {
  if (format === 'name') {
    return found
      .map((each) => each as { kind: string; apiVersion: string; metadata: { name: string } })
      .map(({ kind, apiVersion, metadata }) => {
        const group = apiVersion.includes('/') ? `.${apiVersion.split('/')[0]}` : '';
        return `${kind.toLowerCase()}${group}/${metadata.name}\n`;
      })
      .join('');
  }
  const value = single ? found[0] : { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '' }, items: found };
  return renderData(value, format === 'yaml' ? 'yaml' : 'json');
}

interface TablesWanted {
  readonly kind: Kind;
  readonly names: readonly string[];
  readonly namespace: string | undefined;
  readonly options: GetOptions;
  readonly wide: boolean;
  readonly several: boolean;
  readonly blank: boolean;
}

async function printTables(context: CommandContext, cluster: Cluster, wanted: TablesWanted): Promise<boolean> {
  const { kind, names, namespace, options } = wanted;
  const query = queryOf(options);
  const all = kind.namespaced && namespace === undefined;
  const paths =
    names.length > 0
      ? names.map((name) => resourcePath(kind, namespace, name))
      : [resourcePath(kind, namespace) + query];
  let printed = wanted.blank;
  for (const path of paths) {
    const table = (await cluster.get(path, TABLE)) as Table;
    const { header, rows } = tableText(table, { wide: wanted.wide, all, prefix: wanted.several ? kind : undefined });
    if (rows.length > 0) {
      context.terminal.out(`${printed ? '\n' : ''}${renderTable(header, rows)}`);
      printed = true;
    } else if (options.watch !== true) {
      context.terminal.err(
        all
          ? 'No resources found\n'
          : `No resources found in ${namespace ?? 'the cluster'}${kind.namespaced ? ' namespace' : ''}.\n`,
      );
    }
    if (options.watch === true) await watchTable(context, cluster, wanted, table.metadata?.resourceVersion ?? '0');
  }
  return printed;
}

async function watchTable(
  context: CommandContext,
  cluster: Cluster,
  wanted: TablesWanted,
  from: string,
): Promise<void> {
  const { kind, namespace, names, options } = wanted;
  const parameters = new URLSearchParams(queryOf(options).slice(1));
  parameters.set('watch', 'true');
  parameters.set('resourceVersion', from);
  if (names[0] !== undefined) parameters.set('fieldSelector', `metadata.name=${names[0]}`);
  const all = kind.namespaced && namespace === undefined;
  try {
    const chunks = cluster.stream(`${resourcePath(kind, namespace)}?${parameters.toString()}`, context.signal, TABLE);
    let columns: Table['columnDefinitions'];
    for await (const line of readLines(chunks)) {
      const event = JSON.parse(line) as { type: string; object: Table };
      if (event.type === 'BOOKMARK' || event.type === 'ERROR') continue;
      // The server names the columns with the first event only.
      columns = (event.object.columnDefinitions?.length ?? 0) > 0 ? event.object.columnDefinitions : columns;
      const { rows } = tableText(
        { ...event.object, columnDefinitions: columns ?? [] },
        { wide: wanted.wide, all, prefix: undefined },
      );
      for (const row of rows) context.terminal.out(`${row.join('   ')}\n`);
    }
  } catch (error) {
    if (!context.signal.aborted) throw error;
  }
}

function tableText(
  table: Table,
  show: { readonly wide: boolean; readonly all: boolean; readonly prefix: Kind | undefined },
): { header: string[]; rows: string[][] } {
  const columns = (table.columnDefinitions ?? [])
    .map((column, at) => ({ ...column, at }))
    .filter(({ priority }) => show.wide || (priority ?? 0) === 0);
  const rows = (table.rows ?? []).map((row) => {
    const cells = columns.map(({ at }) => cellText(row.cells[at]));
    if (show.prefix !== undefined && cells[0] !== undefined) cells[0] = resourceName(show.prefix, cells[0]);
    return show.all ? [row.object?.metadata?.namespace ?? '', ...cells] : cells;
  });
  const header = columns.map(({ name }) => name.toUpperCase());
  return { header: show.all ? ['NAMESPACE', ...header] : header, rows };
}

function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return '<none>';
  return typeof cell === 'string' ? cell : JSON.stringify(cell);
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
