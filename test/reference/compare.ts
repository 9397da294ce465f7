/** One place where an answer is not the reference's. `undefined` is: not there. */
export interface Difference {
  /** `2.body.spec.ports.0.targetPort`, the first number being the call's. */
  readonly at: string;
  readonly reference: unknown;
  readonly ours: unknown;
}

/** The smallest values that differ, each with its place. */
export function differences(reference: unknown, ours: unknown, at = ''): readonly Difference[] {
  if (reference === ours) return [];
  if (!isTree(reference) || !isTree(ours) || Array.isArray(reference) !== Array.isArray(ours)) {
    return [{ at, reference, ours }];
  }
  const names = [...new Set([...Object.keys(reference), ...Object.keys(ours)])];
  return names.flatMap((name) => differences(reference[name], ours[name], at === '' ? name : `${at}.${name}`));
}

function isTree(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/**
 * Discovery as it is read: lists of groups, versions and resources by their names, in no order. Names are escaped as in a
 * JSON pointer's spirit: `.` stands for a step, so it becomes `_`.
 */
export function byName(value: unknown): unknown {
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item === 'string')) return Object.fromEntries(value.map((item) => [item, true]));
    return Object.fromEntries(value.map((item, index) => [nameOf(item) ?? index, byName(item)]));
  }
  if (!isTree(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, byName(field)]));
}

const NAMES = ['resource', 'subresource', 'groupVersion', 'name', 'version'] as const;

function nameOf(item: unknown): string | undefined {
  if (!isTree(item)) return undefined;
  const name = NAMES.map((field) => item[field]).find((field) => typeof field === 'string');
  const { metadata } = item;
  const own = name ?? (isTree(metadata) ? (metadata['name'] ?? 'core') : undefined);
  return typeof own === 'string' ? own.replaceAll('.', '_') : undefined;
}
