import type { Pod } from '../../api/kinds/pod.ts';
import type { Taint } from '../../api/kinds/scheduling.ts';

type Toleration = NonNullable<Pod['spec']['tolerations']>[number];

/** Whether the pod puts up with the taint (v1.Toleration.ToleratesTaint). */
export function tolerates({ spec }: Pod, taint: Taint): boolean {
  return (spec.tolerations ?? []).some((toleration) => matches(toleration, taint));
}

function matches({ key = '', operator = '', value = '', effect = '' }: Toleration, taint: Taint): boolean {
  if (effect !== '' && effect !== taint.effect) return false;
  if (key !== '' && key !== taint.key) return false;
  switch (operator) {
    case 'Exists':
      return true;
    // An empty key with Equal would match every key: the API refuses it, and so does this.
    case '':
    case 'Equal':
      return key !== '' && value === (taint.value ?? '');
    default:
      return operator satisfies never;
  }
}
