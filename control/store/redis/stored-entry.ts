import type { Change, Entry } from '../store.ts';

/** An item of the log's stream as Redis gives it: its id, and fields and values in turn. */
export type LogItem = readonly [id: string, fields: readonly string[]];

/** All changes of one revision, and the mutation that made it. */
export interface LogRevision {
  readonly revision: number;
  readonly mutation: string;
  readonly changes: readonly Change[];
}

/** An entry from its stored form "revision created value". */
export function parseEntry(key: string, stored: string): Entry {
  const first = stored.indexOf(' ');
  const second = stored.indexOf(' ', first + 1);
  return {
    key,
    value: stored.slice(second + 1),
    revision: Number(stored.slice(0, first)),
    created: Number(stored.slice(first + 1, second)),
  };
}

/** Reads an item as scripts.ts writes it: `id`, then `p<key>` value, `b` before for each put, `d<key>` before for each delete. */
export function parseLogItem([id, fields]: LogItem): LogRevision {
  const revision = Number(id.slice(0, id.indexOf('-')));
  const changes: Change[] = [];
  for (let at = 2; at < fields.length; at += 2) {
    const name = fields[at] as string;
    const content = fields[at + 1] as string;
    const key = name.slice(1);
    if (name.startsWith('p')) {
      at += 2;
      const before = fields[at + 1] as string;
      const previous = before === '' ? undefined : parseEntry(key, before);
      changes.push({ type: 'put', key, revision, value: content, previous });
    } else {
      const previous = parseEntry(key, content);
      changes.push({ type: 'delete', key, revision, value: previous.value, previous });
    }
  }
  return { revision, mutation: fields[1] as string, changes };
}
