import { lengthOf } from './change-history.ts';
import type { Change, Changes } from './store.ts';

/** Most changes in one batch of a watch, but for a single revision that has more: it stays whole. */
const MAX_CHANGES = 1000;

/** Most text in one batch, in characters, but for a single revision that has more. */
const MAX_LENGTH = 16 * 1024 * 1024;

/** The first whole revisions of an ordered run of changes. A run read to its end reaches `present`, the store's revision. */
export function takeBatch(run: Iterable<Change>, present: number): Changes {
  const changes: Change[] = [];
  let length = 0;
  for (const change of run) {
    const last = changes.at(-1);
    if (
      last !== undefined &&
      change.revision > last.revision &&
      (changes.length >= MAX_CHANGES || length >= MAX_LENGTH)
    ) {
      return { changes, revision: last.revision };
    }
    changes.push(change);
    length += lengthOf(change);
  }
  return { changes, revision: present };
}
