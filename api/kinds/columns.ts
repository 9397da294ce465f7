import { age } from '../meta/human-duration.ts';
import type { Column, KubeObject } from './kind.ts';

/*
 * Columns that many kinds share. Names and order are those of k8s.io/kubernetes/pkg/printers/internalversion/printers.go
 * for built-in kinds, and of the additionalPrinterColumns of the Gateway API's CRDs.
 */

type Value<T> = (object: T, nowMs: number) => string | number | boolean | null;

export function column<T>(name: string, description: string, value: Value<T>): Column<T> {
  return { name, type: 'string', description, priority: 0, value };
}

export function integerColumn<T>(name: string, description: string, value: Value<T>): Column<T> {
  return { name, type: 'integer', description, priority: 0, value };
}

/** Only with `-o wide`. */
export function wide<T>(shown: Column<T>): Column<T> {
  return { ...shown, priority: 1 };
}

export const nameColumn: Column<KubeObject> = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name must be unique within a namespace.',
  priority: 0,
  value: ({ metadata }) => metadata.name,
};

export const ageColumn: Column<KubeObject> = {
  name: 'Age',
  type: 'string',
  description: 'How long ago the object was created.',
  priority: 0,
  value: ({ metadata }, nowMs) => age(metadata.creationTimestamp, nowMs),
};

/** Names with commas between, or `<none>`. */
export function listed(values: readonly string[] | undefined): string {
  return values === undefined || values.length === 0 ? '<none>' : values.join(',');
}
