import type { Kind, KubeObject } from '../../../api/kinds/kind.ts';
import { countsGenerations } from './server-fields.ts';

/** `next` with its generation one higher when anything but metadata and status differs from `current`. */
export function withGeneration<T extends KubeObject>(kind: Kind<T>, next: T, current: T): T {
  if (!countsGenerations(kind) || sameStored(desired(next), desired(current))) return next;
  return { ...next, metadata: { ...next.metadata, generation: (current.metadata.generation ?? 0) + 1 } };
}

/** Whether storing `next` would change anything. */
export function isUnchanged(next: KubeObject, current: KubeObject): boolean {
  return sameStored(next, current);
}

function desired(object: KubeObject): object {
  const { metadata: _metadata, status: _status, ...rest } = object as KubeObject & { status?: unknown };
  return rest;
}

/** Equal as JSON would have it: a field that is undefined is not there. Makes no copies: every write comes by here. */
function sameStored(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left) || Array.isArray(right)) {
    return (
      Array.isArray(left) &&
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((item, index) => sameStored(item, right[index]))
    );
  }
  const [mine, theirs] = [left as Fields, right as Fields];
  for (const name in mine)
    if (!sameStored(mine[name], Object.hasOwn(theirs, name) ? theirs[name] : undefined)) return false;
  for (const name in theirs) if (theirs[name] !== undefined && !Object.hasOwn(mine, name)) return false;
  return true;
}

type Fields = Readonly<Record<string, unknown>>;
