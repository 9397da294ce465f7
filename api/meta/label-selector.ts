import { z } from 'zod';

const SELECTOR_OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

export const labelSelectorSchema = z
  .strictObject({
    matchLabels: z
      .record(z.string(), z.string())
      .optional()
      .meta({ description: 'Labels that must have these values. All must match.' }),
    matchExpressions: z
      .array(
        z.strictObject({
          key: z.string().meta({ description: 'The label that the requirement is about.' }),
          operator: z.enum(SELECTOR_OPERATORS).meta({ description: 'One of In, NotIn, Exists, DoesNotExist.' }),
          values: z.array(z.string()).optional().meta({ 'x-kubernetes-list-type': 'atomic' }),
        }),
      )
      .optional()
      .meta({ 'x-kubernetes-list-type': 'atomic', description: 'Label requirements. All must match.' }),
  })
  .meta({
    description: 'A query over labels. An empty one matches everything, a missing one nothing.',
    'x-kubernetes-map-type': 'atomic',
  });

export type LabelSelector = z.infer<typeof labelSelectorSchema>;

export interface LabelRequirement {
  readonly key: string;
  readonly operator: (typeof SELECTOR_OPERATORS)[number] | 'Gt' | 'Lt';
  readonly values: readonly string[];
}

type Labels = Readonly<Record<string, string>>;

export function matchesRequirements(
  requirements: readonly LabelRequirement[],
  labels: Labels | null | undefined,
): boolean {
  return requirements.every((requirement) => meets(requirement, ownLabel(labels, requirement.key)));
}

/** What an object inherits, such as `constructor`, is no label. */
function ownLabel(labels: Labels | null | undefined, key: string): string | undefined {
  return labels && Object.hasOwn(labels, key) ? labels[key] : undefined;
}

/** A missing selector matches nothing, an empty one everything (metav1.LabelSelectorAsSelector). */
export function matchesSelector(selector: LabelSelector | undefined, labels: Labels | null | undefined): boolean {
  return selector !== undefined && matchesRequirements(selectorRequirements(selector), labels);
}

export function selectorRequirements(selector: LabelSelector): readonly LabelRequirement[] {
  const equal = Object.entries(selector.matchLabels ?? {}).map(
    ([key, value]) => ({ key, operator: 'In', values: [value] }) as const,
  );
  const others = (selector.matchExpressions ?? []).map(({ key, operator, values }) => ({
    key,
    operator,
    values: values ?? [],
  }));
  return [...equal, ...others];
}

/** The text that parseLabelSelector reads: what `kubectl get -o wide` shows. Empty and missing are `<none>`. */
export function formatLabelSelector(selector: LabelSelector | undefined): string {
  const text = formatRequirements(selector === undefined ? [] : selectorRequirements(selector));
  return text === '' ? '<none>' : text;
}

export function formatRequirements(requirements: readonly LabelRequirement[]): string {
  return [...requirements]
    .sort((left, right) => (left.key < right.key ? -1 : 1))
    .map(formatRequirement)
    .join(',');
}

function meets({ operator, values }: LabelRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return isInteger(value) && Number(value) > Number(values[0]);
    case 'Lt':
      return isInteger(value) && Number(value) < Number(values[0]);
    default:
      return operator satisfies never;
  }
}

function isInteger(value: string | undefined): boolean {
  return value !== undefined && /^-?\d+$/.test(value);
}

function formatRequirement({ key, operator, values }: LabelRequirement): string {
  const [only] = values;
  switch (operator) {
    case 'In':
      return values.length === 1 ? `${key}=${only}` : `${key} in (${values.join(',')})`;
    case 'NotIn':
      return values.length === 1 ? `${key}!=${only}` : `${key} notin (${values.join(',')})`;
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
    case 'Gt':
      return `${key}>${only}`;
    case 'Lt':
      return `${key}<${only}`;
    default:
      return operator satisfies never;
  }
}
