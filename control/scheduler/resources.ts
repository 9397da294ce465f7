import type { Pod } from '../../api/kinds/pod.ts';
import { quantityMilliValue, quantityValue } from '../../api/meta/quantity.ts';

/** Amounts by resource name: cpu in thousandths, everything else in whole units (bytes, pods). */
export type Amounts = ReadonlyMap<string, number>;

type ResourceList = Readonly<Record<string, string>>;

export function amountsOf(list: ResourceList | undefined): Amounts {
  return new Map(
    Object.entries(list ?? {}).map(([name, quantity]) => [
      name,
      name === 'cpu' ? quantityMilliValue(quantity) : quantityValue(quantity),
    ]),
  );
}

/**
 * What a pod needs at its most (resourcehelper.PodRequests): its containers and sidecars together, or an init container
 * with the sidecars that started before it, whichever is more; and its overhead.
 */
export function podRequests({ spec }: Pod): Amounts {
  const sidecars = new Map<string, number>();
  const most = new Map<string, number>();
  for (const { restartPolicy, resources } of spec.initContainers ?? []) {
    const own = amountsOf(resources.requests);
    if (restartPolicy === 'Always') add(sidecars, own);
    raise(most, restartPolicy === 'Always' ? sidecars : sumOf(sidecars, own));
  }
  const running = new Map(sidecars);
  for (const { resources } of spec.containers) add(running, amountsOf(resources.requests));
  raise(most, running);
  add(most, amountsOf(spec.overhead));
  return most;
}

export function add(to: Map<string, number>, amounts: Amounts, sign: 1 | -1 = 1): void {
  for (const [name, amount] of amounts) to.set(name, (to.get(name) ?? 0) + sign * amount);
}

function sumOf(left: Amounts, right: Amounts): Amounts {
  const sum = new Map(left);
  add(sum, right);
  return sum;
}

function raise(to: Map<string, number>, amounts: Amounts): void {
  for (const [name, amount] of amounts) to.set(name, Math.max(to.get(name) ?? 0, amount));
}
