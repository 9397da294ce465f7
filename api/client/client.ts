import type { Kind, KubeObject } from '../kinds/kind.ts';

/** The address of an object of a kind. Cluster-scoped kinds have no namespace. */
export interface ObjectRef {
  readonly namespace?: string;
  readonly name: string;
}

export interface ListOptions {
  /** All namespaces when missing. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
}

export interface List<T> {
  readonly items: readonly T[];
  /** The store's revision that the list shows: where a watch continues without a gap. */
  readonly resourceVersion: string;
  readonly continue?: string;
}

export interface WatchOptions extends ListOptions {
  readonly resourceVersion: string;
  readonly signal: AbortSignal;
}

/** BOOKMARK carries only a resourceVersion. A watch that has fallen out of history throws ApiError with code 410. */
export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

/** `apply` is server-side apply: it needs a fieldManager, and creates what is not there. */
export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

export interface WriteOptions {
  readonly dryRun?: boolean;
  /** What happens to unknown and duplicate fields. Strict from our own code. */
  readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict';
  readonly fieldManager?: string;
}

export interface PatchOptions extends WriteOptions {
  readonly type: PatchType;
  readonly subresource?: 'status' | 'scale';
  /** Apply only: take what other managers own instead of failing with a conflict. */
  readonly force?: boolean;
}

export interface DeleteOptions extends Pick<WriteOptions, 'dryRun'> {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

/** An object as a caller of create may give it: the server fills the rest. */
export type Draft<T extends KubeObject> = Omit<T, 'metadata' | 'apiVersion' | 'kind' | 'status'> &
  Partial<Pick<T, Extract<'status', keyof T>>> & { metadata: Partial<T['metadata']> };

/**
 * The one way that controllers, agents and commands reach objects. The control plane's own controllers have one that
 * calls the API server's verbs in process; every other process has the one over HTTPS. Errors are ApiError
 * (api/meta/api-error.ts) and carry the server's Status. What comes back is shared and must not be mutated.
 */
export interface Client {
  get<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): Promise<T>;
  list<T extends KubeObject>(kind: Kind<T>, options?: ListOptions): Promise<List<T>>;
  watch<T extends KubeObject>(kind: Kind<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>>;
  create<T extends KubeObject>(kind: Kind<T>, object: Draft<T>, options?: WriteOptions): Promise<T>;
  /** Replaces the object; refused with 409 unless metadata.resourceVersion is the stored one. */
  update<T extends KubeObject>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<T>;
  updateStatus<T extends KubeObject>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, patch: unknown, options: PatchOptions): Promise<T>;
  delete<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, options?: DeleteOptions): Promise<void>;
}
