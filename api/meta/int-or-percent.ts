import { z } from 'zod';

/** Kubernetes' IntOrString: a number, or text such as a port's name or `25%`. */
export const intOrStringSchema = z
  .union([z.int(), z.string()], { error: 'must be a number or a string' })
  .meta({ 'x-kubernetes-int-or-string': true });

const PERCENT = /^(\d+)%$/;

/**
 * The number that `value` stands for out of `total`; a percentage is rounded as told (intstr.GetScaledValueFromIntOrPercent).
 * Undefined when it is neither a number nor a percentage.
 */
export function resolveIntOrPercent(
  value: number | string,
  total: number,
  rounding: 'up' | 'down',
): number | undefined {
  if (typeof value === 'number') return value;
  const percent = PERCENT.exec(value)?.[1];
  if (percent === undefined) return undefined;
  const exact = Number(percent) * total;
  return rounding === 'up' ? Math.ceil(exact / 100) : Math.floor(exact / 100);
}
