import { z } from 'zod';

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** The Gateway API's durations (GEP-2257): `1h30m`, `500ms`. */
export const durationSchema = z
  .string()
  .regex(/^([0-9]{1,5}(h|m|s|ms)){1,4}$/, { error: 'must be a duration such as 1h30m, 10s or 500ms' });

/** Milliseconds in a duration that {@link durationSchema} accepts. */
export function durationMs(text: string): number {
  return [...text.matchAll(/(\d+)(h|ms|m|s)/g)].reduce(
    (sum, [, amount, unit = '']) => sum + Number(amount) * (UNITS[unit] ?? 0),
    0,
  );
}
