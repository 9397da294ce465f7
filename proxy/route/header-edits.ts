import type { HeaderEdits } from './route-table.ts';

/** Edits made ready: which names to leave out, and the lines to add. */
export interface CompiledEdits {
  readonly removes: ReadonlySet<string>;
  /** Whole lines with their CRLF. */
  readonly adds: string;
}

// The proxy answers for these: an edit that named them could break a message's framing or its routing.
const NOT_EDITABLE = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'upgrade',
  'x-tutti-reason',
]);
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Undefined when there is nothing to do. Lines that would not be valid HTTP are left out. */
export function compileEdits(...all: readonly HeaderEdits[]): CompiledEdits | undefined {
  const removes = new Set<string>();
  let adds = '';
  for (const edits of all) {
    for (const name of edits.remove) removes.add(name.toLowerCase());
    for (const [name] of edits.set) removes.add(name.toLowerCase());
    for (const [name, value] of [...edits.set, ...edits.add]) {
      if (NAME.test(name) && VALUE.test(value) && !NOT_EDITABLE.has(name.toLowerCase()))
        adds += `${name}: ${value}\r\n`;
    }
  }
  for (const name of NOT_EDITABLE) removes.delete(name);
  return removes.size === 0 && adds === '' ? undefined : { removes, adds };
}
