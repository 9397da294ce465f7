/**
 * The same JSON without the object fields that are null. To Kubernetes' decoder null and missing are one
 * (encoding/json leaves the zero value), and tools do write `creationTimestamp: null`. Nulls within arrays stay: they
 * are somebody's mistake and the schema says so. Returns the input itself where nothing is dropped.
 */
export function dropNulls(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(dropNulls);
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const kept = entries.filter(([, field]) => field !== null).map(([key, field]) => [key, dropNulls(field)] as const);
  const same = kept.length === entries.length && kept.every(([key, field]) => field === (value as Fields)[key]);
  return same ? value : Object.fromEntries(kept);
}

type Fields = Readonly<Record<string, unknown>>;
