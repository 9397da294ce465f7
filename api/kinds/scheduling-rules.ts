import type { z } from 'zod';
import { fieldDuplicate, fieldForbidden, fieldInvalid, fieldRequired } from '../meta/field-error.ts';
import { validateLabels, wrong } from '../meta/metadata-rules.ts';
import { labelValue, qualifiedName } from '../meta/names.ts';
import type { FieldError } from '../meta/status.ts';
import type { PodSpec } from './pod-spec.ts';
import type { affinitySchema } from './scheduling.ts';

/* Where a pod may run: validateAffinity, ValidateTolerations, validateTopologySpreadConstraints of validation.go. */

type Affinity = z.infer<typeof affinitySchema>;
type NodeAffinity = NonNullable<Affinity['nodeAffinity']>;
type PodAffinity = NonNullable<Affinity['podAffinity']>;
type NodeTerm = NonNullable<
  NodeAffinity['requiredDuringSchedulingIgnoredDuringExecution']
>['nodeSelectorTerms'][number];
type Requirement = NonNullable<NodeTerm['matchExpressions']>[number];
type PodTerm = NonNullable<PodAffinity['requiredDuringSchedulingIgnoredDuringExecution']>[number];

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';

export function nodeSelectorErrors({ nodeSelector }: PodSpec, field: string): readonly FieldError[] {
  return validateLabels(nodeSelector, `${field}.nodeSelector`);
}

export function affinityErrors({ affinity = {} }: PodSpec, field: string): readonly FieldError[] {
  const { nodeAffinity = {}, podAffinity, podAntiAffinity } = affinity;
  const at = `${field}.affinity`;
  return [
    ...nodeAffinityErrors(nodeAffinity, `${at}.nodeAffinity`),
    ...podAffinityErrors(podAffinity, `${at}.podAffinity`),
    ...podAffinityErrors(podAntiAffinity, `${at}.podAntiAffinity`),
  ];
}

function nodeAffinityErrors(affinity: NodeAffinity, field: string): readonly FieldError[] {
  const terms = affinity[REQUIRED]?.nodeSelectorTerms;
  const at = `${field}.${REQUIRED}.nodeSelectorTerms`;
  return [
    ...(terms?.length === 0 ? [fieldRequired(at, 'must have at least one node selector term')] : []),
    ...(terms ?? []).flatMap((term, index) => nodeTermErrors(term, `${at}[${index}]`)),
    ...(affinity[PREFERRED] ?? []).flatMap(({ weight, preference }, index) => [
      ...weightErrors(weight, `${field}.${PREFERRED}[${index}].weight`),
      ...nodeTermErrors(preference, `${field}.${PREFERRED}[${index}].preference`),
    ]),
  ];
}

function nodeTermErrors({ matchExpressions = [] }: NodeTerm, field: string): readonly FieldError[] {
  return matchExpressions.flatMap((each, index) => requirementErrors(each, `${field}.matchExpressions[${index}]`));
}

function requirementErrors({ key, operator, values = [] }: Requirement, field: string): readonly FieldError[] {
  return [
    ...operatorErrors(operator, values.length, `${field}.values`),
    ...wrong(`${field}.key`, key, qualifiedName),
    ...values.flatMap((value, index) => wrong(`${field}.values[${index}]`, value, labelValue)),
  ];
}

function operatorErrors(operator: Requirement['operator'], count: number, field: string): readonly FieldError[] {
  switch (operator) {
    case 'In':
    case 'NotIn':
      return count > 0 ? [] : [fieldRequired(field, "must be specified when `operator` is 'In' or 'NotIn'")];
    case 'Exists':
    case 'DoesNotExist':
      return count === 0
        ? []
        : [fieldForbidden(field, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")];
    case 'Gt':
    case 'Lt':
      return count === 1
        ? []
        : [fieldRequired(field, "must be specified single value when `operator` is 'Lt' or 'Gt'")];
    default:
      return operator satisfies never;
  }
}

function podAffinityErrors(affinity: PodAffinity | undefined, field: string): readonly FieldError[] {
  return [
    ...(affinity?.[REQUIRED] ?? []).flatMap((term, index) => podTermErrors(term, `${field}.${REQUIRED}[${index}]`)),
    ...(affinity?.[PREFERRED] ?? []).flatMap(({ weight, podAffinityTerm }, index) => [
      ...weightErrors(weight, `${field}.${PREFERRED}[${index}].weight`),
      ...podTermErrors(podAffinityTerm, `${field}.${PREFERRED}[${index}].podAffinityTerm`),
    ]),
  ];
}

function weightErrors(weight: number, field: string): readonly FieldError[] {
  return weight >= 1 && weight <= 100 ? [] : [fieldInvalid(field, weight, 'must be in the range 1-100')];
}

function podTermErrors({ topologyKey }: PodTerm, field: string): readonly FieldError[] {
  const at = `${field}.topologyKey`;
  return [
    ...(topologyKey === '' ? [fieldRequired(at, 'can not be empty')] : []),
    ...wrong(at, topologyKey, qualifiedName),
  ];
}

export function spreadErrors({ topologySpreadConstraints: all = [] }: PodSpec, field: string): readonly FieldError[] {
  return all.flatMap(({ maxSkew, topologyKey, whenUnsatisfiable, minDomains }, index) => {
    const at = `${field}.topologySpreadConstraints[${index}]`;
    const again = all
      .slice(index + 1)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable);
    return [
      ...(maxSkew <= 0 ? [fieldInvalid(`${at}.maxSkew`, maxSkew, 'must be greater than zero')] : []),
      ...(topologyKey === ''
        ? [fieldRequired(`${at}.topologyKey`, 'can not be empty')]
        : wrong(`${at}.topologyKey`, topologyKey, qualifiedName)),
      ...(again
        ? [fieldDuplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${whenUnsatisfiable}}`)]
        : []),
      ...(minDomains !== undefined && minDomains <= 0
        ? [fieldInvalid(`${at}.minDomains`, minDomains, 'must be greater than zero')]
        : []),
    ];
  });
}

export function tolerationErrors({ tolerations = [] }: PodSpec, field: string): readonly FieldError[] {
  return tolerations.flatMap(({ key = '', operator = '', value = '', effect = '', tolerationSeconds }, index) => {
    const at = `${field}.tolerations[${index}]`;
    return [
      ...(key === '' ? [] : wrong(`${at}.key`, key, qualifiedName)),
      ...(key === '' && operator !== 'Exists'
        ? [
            fieldInvalid(
              `${at}.operator`,
              operator,
              'operator must be Exists when `key` is empty, which means "match all values and all keys"',
            ),
          ]
        : []),
      ...(tolerationSeconds !== undefined && effect !== 'NoExecute'
        ? [fieldInvalid(`${at}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")]
        : []),
      ...(operator === 'Exists' ? [] : wrong(`${at}.operator`, value, labelValue)),
      ...(operator === 'Exists' && value !== ''
        ? [fieldInvalid(`${at}.operator`, value, "value must be empty when `operator` is 'Exists'")]
        : []),
    ];
  });
}
