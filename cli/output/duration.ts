import { CommandError } from './exit-codes.ts';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a duration in Go's form, as kubectl takes it: `500ms`, `10s`, `1m30s`. */
export function parseDuration(flag: string, given: string): number {
  const parts = [...given.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== given) {
    throw new CommandError(`${flag} "${given}": must be a duration such as 500ms, 10s or 1m30s`, { exit: 'usage' });
  }
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNITS[unit ?? ''] ?? 0), 0);
}
