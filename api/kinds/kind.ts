import type { z } from 'zod';
import type { ObjectMeta } from '../meta/object-meta.ts';
import type { FieldError } from '../meta/status.ts';

/** What every stored object has. `apiVersion` and `kind` are always set on objects that leave the API server. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

/** A column of `kubectl get`: Kubernetes' TableColumnDefinition with the way to fill it. */
export interface Column<T> {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: string;
  readonly description: string;
  /** 0 shows always, 1 only with `-o wide`. */
  readonly priority: 0 | 1;
  readonly value: (object: T, nowMs: number) => string | number | boolean | null;
}

type Subresource = 'status' | 'scale' | 'log' | 'token';

/**
 * Everything the system knows of a kind, in one place: the API server routes, validates, defaults, documents and prints
 * by it, the client addresses by it, kubectl's discovery is made from it. A kind without a store entry (a review such
 * as TokenRequest) is not a Kind.
 */
export interface Kind<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** Kubernetes knows the kind by a CustomResourceDefinition: it is read and refused as those are. */
  readonly custom: boolean;
  /** A PUT, or a PATCH that makes it whole, creates what is not there (AllowCreateOnUpdate of its strategy). */
  readonly createdByPut: boolean;
  readonly subresources: readonly Subresource[];
  /** Checks shape and value, and fills Kubernetes' defaults. Strict: an unknown field is an issue with its path. */
  readonly schema: z.ZodType<T>;
  readonly columns: readonly Column<T>[];
  /** What a field selector may name beside metadata.name and metadata.namespace. */
  readonly selectableFields: Readonly<Record<string, (object: T) => string>>;
  /** Rules that one field alone cannot tell: references within the object, and what an update may not change. */
  readonly validate: (object: T, old: T | undefined) => readonly FieldError[];
  /** Paths that are accepted and not acted on, each with what to know: they become `Warning:` headers. */
  readonly warnings: (object: T) => readonly string[];
}

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** `v1` for the core group, `apps/v1` for others. */
export function apiVersionOf(kind: Pick<Kind, 'group' | 'version'>): string {
  return kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
}
