import { isDeepStrictEqual } from 'node:util';
import type { Kind, KubeObject } from '../../../api/kinds/kind.ts';
import { countsGenerations } from './server-fields.ts';

/** `next` with its generation one higher when anything but metadata and status differs from `current`. */
export function withGeneration<T extends KubeObject>(kind: Kind<T>, next: T, current: T): T {
  if (!countsGenerations(kind) || isDeepStrictEqual(desired(next), desired(current))) return next;
  return { ...next, metadata: { ...next.metadata, generation: (current.metadata.generation ?? 0) + 1 } };
}

/** Whether storing `next` would change anything. */
export function isUnchanged(next: KubeObject, current: KubeObject): boolean {
  return isDeepStrictEqual(plain(next), plain(current));
}

function desired(object: KubeObject): object {
  const { metadata: _metadata, status: _status, ...rest } = object as KubeObject & { status?: unknown };
  return plain(rest);
}

/** As JSON has it: a field that is undefined is not there. */
function plain(value: object): object {
  return JSON.parse(JSON.stringify(value)) as object;
}
