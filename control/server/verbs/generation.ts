import type { Kind, KubeObject } from '../../../api/kinds/kind.ts';
import { countsGenerations } from './server-fields.ts';

/**
 * `next` with its generation one higher when anything but metadata and status differs from `current`; the strategies of some
 * kinds count a part of the metadata too.
 */
export function withGeneration<T extends KubeObject>(kind: Kind<T>, next: T, current: T): T {
  if (!countsGenerations(kind)) return next;
  const counted = COUNTED_METADATA[kind.kind];
  const same =
    sameStored(desired(next), desired(current)) &&
    (counted === undefined || sameStored(next.metadata[counted] ?? {}, current.metadata[counted] ?? {}));
  if (same) return next;
  return { ...next, metadata: { ...next.metadata, generation: (current.metadata.generation ?? 0) + 1 } };
}

/** PrepareForUpdate of deploymentStrategy and endpointSliceStrategy. */
const COUNTED_METADATA: Readonly<Record<string, 'annotations' | 'labels'>> = {
  Deployment: 'annotations',
  EndpointSlice: 'labels',
};

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
