import type { Random } from '../../kit/random.ts';
import type { WeightedTarget } from './listener-config.ts';

/** The cluster that takes a connection, by weight; '' where none has any. */
export function pickTarget(targets: readonly WeightedTarget[], random: Random): string {
  const sum = targets.reduce((all, { weight }) => all + weight, 0);
  let left = random() * sum;
  return targets.find(({ weight }) => (left -= weight) < 0)?.cluster ?? '';
}
