import { stringify } from 'yaml';
import { CommandError } from './exit-codes.ts';

export const FORMATS = ['json', 'yaml', 'wide', 'name'] as const;
export type Format = (typeof FORMATS)[number];

/** Checks what was given to `-o`. */
export function parseFormat(given: string): Format {
  const format = FORMATS.find((known) => known === given);
  if (format === undefined) {
    throw new CommandError(`output format "${given}": not known; one of ${FORMATS.join(', ')}`, { exit: 'usage' });
  }
  return format;
}

/** A value as JSON or YAML, ending in a line break. */
export function renderData(value: unknown, format: 'json' | 'yaml'): string {
  return format === 'json' ? `${JSON.stringify(value, null, 2)}\n` : stringify(value, { lineWidth: 0 });
}
