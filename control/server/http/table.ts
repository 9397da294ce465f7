import type { Column, Kind, KubeObject } from '../../../api/kinds/kind.ts';
import { ApiError } from '../../../api/meta/api-error.ts';

/** metav1.Table: what `kubectl get` shows, one row an object. */
export interface Table {
  readonly kind: 'Table';
  readonly apiVersion: 'meta.k8s.io/v1';
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Null in the events of a watch after the first: the columns stay what they are. */
  readonly columnDefinitions: readonly ColumnDefinition[] | null;
  readonly rows: readonly Row[];
}

type ColumnDefinition = Required<Pick<Column<KubeObject>, 'name' | 'type' | 'format' | 'description' | 'priority'>>;

interface Row {
  readonly cells: readonly (string | number | boolean | null)[];
  readonly object: object | null;
}

export type IncludeObject = 'None' | 'Metadata' | 'Object';

export interface TableOptions {
  readonly nowMs: number;
  readonly includeObject: IncludeObject;
}

export function includeObject(query: URLSearchParams): IncludeObject {
  const value = query.get('includeObject') || 'Metadata';
  if (value !== 'None' && value !== 'Metadata' && value !== 'Object') {
    throw ApiError.badRequest(
      `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(value)}: must be 'Metadata', 'Object', 'None', or empty`,
    );
  }
  return value;
}

export function tableOf<T extends KubeObject>(
  kind: Pick<Kind<T>, 'columns'>,
  objects: readonly T[],
  metadata: Table['metadata'],
  options: TableOptions,
): Table {
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: kind.columns.map(({ name, type, format = '', description, priority }) => ({
      name,
      type,
      format,
      description,
      priority,
    })),
    rows: objects.map((object) => rowOf(kind, object, options)),
  };
}

/** PartialObjectMetadata: all that a client of any kind can read. */
export function metadataOf({ metadata }: KubeObject): object {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
}

function rowOf<T extends KubeObject>(
  kind: Pick<Kind<T>, 'columns'>,
  object: T,
  { nowMs, includeObject: include }: TableOptions,
): Row {
  const cells = kind.columns.map(({ value }) => value(object, nowMs));
  switch (include) {
    case 'None':
      return { cells, object: null };
    case 'Metadata':
      return { cells, object: metadataOf(object) };
    case 'Object':
      return { cells, object };
    default:
      return include satisfies never;
  }
}
