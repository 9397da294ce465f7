/**
 * The same JSON without the object fields that are null. To Kubernetes' decoder null and missing are one
 * (encoding/json leaves the zero value), and tools do write `creationTimestamp: null`. Nulls within arrays stay: they
 * are somebody's mistake and the schema says so. Returns the input itself where nothing is dropped.
 */
export function dropNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Array.isArray(value) ? droppedInList(value) : droppedInObject(value as Fields);
}

/* Nearly every document has none: nothing is copied until the first is met. */

function droppedInList(list: readonly unknown[]): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let index = 0; index < list.length; index++) {
    const kept = dropNulls(list[index]);
    if (kept !== list[index]) copy ??= [...list];
    if (copy !== undefined) copy[index] = kept;
  }
  return copy ?? list;
}

function droppedInObject(fields: Fields): Fields {
  let changed = false;
  for (const name in fields) {
    const field = fields[name];
    if (field === null || (typeof field === 'object' && dropNulls(field) !== field)) {
      changed = true;
      break;
    }
  }
  if (!changed) return fields;
  const kept = Object.entries(fields).filter(([, field]) => field !== null);
  return Object.fromEntries(kept.map(([name, field]) => [name, dropNulls(field)]));
}

type Fields = Readonly<Record<string, unknown>>;
