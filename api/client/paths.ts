import { apiVersionOf, type Kind } from '../kinds/kind.ts';
import type { ListOptions, ObjectRef, WriteOptions } from './client.ts';

type Addressed = Pick<Kind, 'group' | 'version' | 'plural' | 'namespaced'>;

/** Where a kind's objects are listed, watched and created; all namespaces when none is given. */
export function collectionPath(kind: Addressed, namespace?: string): string {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${apiVersionOf(kind)}`;
  const scope = kind.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${scope}/${kind.plural}`;
}

export function objectPath(kind: Addressed, ref: ObjectRef, subresource?: string): string {
  if (ref.name === '') throw new Error(`${kind.plural}: an object's name must not be empty`);
  if (kind.namespaced && (ref.namespace ?? '') === '') {
    throw new Error(`${kind.plural} ${JSON.stringify(ref.name)}: a namespace is needed`);
  }
  const path = `${collectionPath(kind, ref.namespace)}/${encodeURIComponent(ref.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** The path with what is set of `query` behind it. */
export function withQuery(path: string, query: Query): string {
  const set = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)] as [string, string]],
  );
  return set.length === 0 ? path : `${path}?${new URLSearchParams(set).toString()}`;
}

export function listQuery(options: ListOptions): Query {
  const { labelSelector, fieldSelector, limit } = options;
  return { labelSelector, fieldSelector, limit, continue: options.continue };
}

/** Our own code means what it writes: unknown fields are refused unless told otherwise. */
export function writeQuery({ dryRun, fieldValidation = 'Strict', fieldManager }: WriteOptions): Query {
  return { dryRun: dryRun === true ? 'All' : undefined, fieldValidation, fieldManager };
}
