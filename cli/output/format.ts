import { stringify } from 'yaml';
import { CommandError } from './exit-codes.ts';

export type Format = 'json' | 'yaml' | 'wide' | 'name';

/** What a command's `-o` takes when it says nothing else. */
export const DATA_FORMATS = ['json', 'yaml'] as const;

/** Checks what was given to `-o` against what the command can print. Undefined when nothing was. */
export function parseFormat<Known extends Format>(
  given: string | undefined,
  known: readonly Known[],
): Known | undefined {
  if (given === undefined) return undefined;
  const format = known.find((each) => each === given);
  if (format === undefined)
    throw new CommandError(`output format "${given}": not one of ${known.join(', ')}`, { exit: 'usage' });
  return format;
}

/** A value as JSON or YAML, ending in a line break. */
export function renderData(value: unknown, format: 'json' | 'yaml'): string {
  return format === 'json' ? `${JSON.stringify(value, null, 2)}\n` : stringify(value, { lineWidth: 0 });
}
