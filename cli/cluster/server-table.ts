import type { Kind } from '../../api/kinds/kind.ts';
import { resourceName } from './resources.ts';

/** What is accepted from the API server: a table where it has one. */
export const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

/** As much of metav1.Table as is printed. */
export interface Table {
  readonly metadata?: { readonly resourceVersion?: string };
  readonly columnDefinitions?:
    | readonly { readonly name: string; readonly format?: string; readonly priority?: number }[]
    | null;
  readonly rows?:
    | readonly {
        readonly cells: readonly unknown[];
        readonly object?: { metadata?: { namespace?: string; resourceVersion?: string } };
      }[]
    | null;
}

export interface TableShow {
  /** Columns of `-o wide` too. */
  readonly wide: boolean;
  readonly withNamespace: boolean;
  /** Names stand as `pod/web`: for tables of several kinds under each other. */
  readonly prefix: Kind | undefined;
}

/** The server's table as lines of cells. The name's column is the one of format `name`, as for kubectl. */
export function tableLines(table: Table, show: TableShow): { readonly header: string[]; readonly rows: string[][] } {
  const columns = (table.columnDefinitions ?? [])
    .map((column, at) => ({ ...column, at }))
    .filter(({ priority }) => show.wide || (priority ?? 0) === 0);
  const rows = (table.rows ?? []).map((row) => {
    const cells = columns.map(({ at, format }) => {
      const text = cellText(row.cells[at]);
      return format === 'name' && show.prefix !== undefined ? resourceName(show.prefix, text) : text;
    });
    return show.withNamespace ? [row.object?.metadata?.namespace ?? '', ...cells] : cells;
  });
  const header = columns.map(({ name }) => name.toUpperCase());
  return { header: show.withNamespace ? ['NAMESPACE', ...header] : header, rows };
}

function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return '<none>';
  return typeof cell === 'string' ? cell : JSON.stringify(cell);
}
