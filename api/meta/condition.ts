import { z } from 'zod';
import { timeSchema } from './time.ts';

export const conditionStatusSchema = z.enum(['True', 'False', 'Unknown']);
type ConditionStatus = z.infer<typeof conditionStatusSchema>;

/** metav1.Condition: one aspect of an object's state. */
export const conditionSchema = z
  .strictObject({
    type: z.string().min(1).meta({ description: 'Type of condition in CamelCase or in foo.example.com/CamelCase.' }),
    status: conditionStatusSchema.meta({ description: 'One of True, False, Unknown.' }),
    observedGeneration: z
      .int()
      .optional()
      .meta({ description: 'The metadata.generation that the condition was set upon.' }),
    lastTransitionTime: timeSchema.meta({ description: 'When the status last changed.' }),
    reason: z
      .string()
      .meta({ description: "A programmatic identifier for the reason of the condition's last change." }),
    message: z.string().meta({ description: 'A human readable message about the change.' }),
  })
  .meta({ description: 'One aspect of the current state of this object.' });

export type Condition = z.infer<typeof conditionSchema>;

/** What any kind's condition has, at least. */
export interface AnyCondition {
  readonly type: string;
  readonly status: ConditionStatus;
  readonly lastTransitionTime?: string | undefined;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
}

/**
 * The conditions with this one set: replaced in place or added at the end. `lastTransitionTime` stays what it was
 * unless the status changes (apimachinery meta.SetStatusCondition). The input is not changed; when nothing but the time
 * would differ, the input itself comes back.
 */
export function setCondition<C extends AnyCondition>(
  conditions: readonly C[] | undefined,
  condition: Omit<C, 'lastTransitionTime'>,
  now: string,
): C[] {
  const present = conditions ?? [];
  const old = findCondition(present, condition.type);
  const lastTransitionTime = old?.status === condition.status ? (old.lastTransitionTime ?? now) : now;
  const next = { ...condition, lastTransitionTime } as unknown as C;
  if (old === undefined) return [...present, next];
  if (conditions !== undefined && sameFields(old, next)) return conditions as C[];
  return present.map((each) => (each === old ? next : each));
}

export function findCondition<C extends Pick<AnyCondition, 'type'>>(
  conditions: readonly C[] | undefined,
  type: string,
): C | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function isConditionTrue(conditions: readonly AnyCondition[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === 'True';
}

function sameFields(left: AnyCondition, right: AnyCondition): boolean {
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].every((key) => left[key as keyof AnyCondition] === right[key as keyof AnyCondition]);
}
