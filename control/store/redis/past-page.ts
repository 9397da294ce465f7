import type { Change, Entry } from '../store.ts';

/** What has become of a key since a revision: what was there then, and whether anything is there now. */
interface Since {
  readonly before: Entry | undefined;
  present: boolean;
}

/** What must be taken back to see an older revision, by key. */
export type Undo = ReadonlyMap<string, Since>;

/** From all changes after the older revision up to the newer, oldest first, under `prefix` and after the key `after`. */
export function undoOf(changes: Iterable<Change>, prefix: string, after: string): Undo {
  const undo = new Map<string, Since>();
  for (const { key, type, previous } of changes) {
    if (!key.startsWith(prefix) || key <= after) continue;
    const known = undo.get(key);
    if (known === undefined) undo.set(key, { before: previous, present: type === 'put' });
    else known.present = type === 'put';
  }
  return undo;
}

export interface PresentPage {
  /** The first entries of the range in order. */
  readonly entries: readonly Entry[];
  /** How many entries the whole range has. */
  readonly count: number;
}

/**
 * The first `limit` entries of the older revision, and how many it had in all; undefined when the present page does not reach far
 * enough to tell.
 */
export function pastPage(
  { entries, count }: PresentPage,
  undo: Undo,
  limit: number,
): { readonly entries: readonly Entry[]; readonly count: number } | undefined {
  const complete = entries.length === count;
  const horizon = entries.at(-1)?.key ?? '';
  const page = entries.filter(({ key }) => !undo.has(key));
  let total = count;
  for (const [key, { before, present }] of undo) {
    total += (before === undefined ? 0 : 1) - (present ? 1 : 0);
    if (before !== undefined && (complete || key <= horizon)) page.push(before);
  }
  if (!complete && page.length < limit) return undefined;
  page.sort((one, other) => (one.key < other.key ? -1 : 1));
  return { entries: page.slice(0, limit), count: total };
}
