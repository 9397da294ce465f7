import { fieldDuplicate } from '../meta/field-error.ts';
import { wrong } from '../meta/metadata-rules.ts';
import { labelValue, qualifiedName } from '../meta/names.ts';
import type { FieldError } from '../meta/status.ts';
import type { Taint } from './scheduling.ts';

/** validateNodeTaints, which names `metadata.taints` where it means the spec's. */
export function taintErrors(taints: readonly Taint[]): readonly FieldError[] {
  return taints.flatMap(({ key, value = '', effect }, index) => {
    const at = `metadata.taints[${index}]`;
    const again = taints.slice(0, index).some((other) => other.key === key && other.effect === effect);
    const duplicate = fieldDuplicate(at, { key, value, effect });
    return [
      ...wrong(`${at}.key`, key, qualifiedName),
      ...wrong(`${at}.value`, value, labelValue),
      ...(again
        ? [{ ...duplicate, message: `${duplicate.message}: taints must be unique by key and effect pair` }]
        : []),
    ];
  });
}
