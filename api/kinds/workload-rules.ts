import { fieldImmutable, fieldInvalid, fieldNotSupported, fieldRequired } from '../meta/field-error.ts';
import { resolveIntOrPercent } from '../meta/int-or-percent.ts';
import { type LabelSelector, matchesSelector } from '../meta/label-selector.ts';
import { validateAnnotations, validateLabels, wrong } from '../meta/metadata-rules.ts';
import { labelValue, qualifiedName } from '../meta/names.ts';
import type { FieldError } from '../meta/status.ts';
import type { Deployment } from './deployment.ts';
import { validatePodSpec } from './pod-rules.ts';
import type { PodTemplateSpec } from './pod-spec.ts';
import type { ReplicaSet } from './replica-set.ts';

/** ValidateDeployment and ValidateDeploymentUpdate (k8s.io/kubernetes/pkg/apis/apps/validation/validation.go). */
export function validateDeployment({ spec }: Deployment, old: Deployment | undefined): readonly FieldError[] {
  return [
    ...notNegative(spec.replicas, 'spec.replicas'),
    ...selectorErrors(spec.selector, spec.template),
    ...templateErrors(spec.template),
    ...strategyErrors(spec.strategy),
    ...notNegative(spec.minReadySeconds ?? 0, 'spec.minReadySeconds'),
    ...notNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
    ...notNegative(spec.progressDeadlineSeconds, 'spec.progressDeadlineSeconds'),
    ...(spec.progressDeadlineSeconds <= (spec.minReadySeconds ?? 0)
      ? [
          fieldInvalid(
            'spec.progressDeadlineSeconds',
            spec.progressDeadlineSeconds,
            'must be greater than minReadySeconds',
          ),
        ]
      : []),
    ...(old === undefined ? [] : fieldImmutable('spec.selector', spec.selector, old.spec.selector)),
  ];
}

export function validateReplicaSet({ spec }: ReplicaSet, old: ReplicaSet | undefined): readonly FieldError[] {
  return [
    ...notNegative(spec.replicas, 'spec.replicas'),
    ...notNegative(spec.minReadySeconds ?? 0, 'spec.minReadySeconds'),
    ...selectorErrors(spec.selector, spec.template),
    ...templateErrors(spec.template),
    ...(old === undefined ? [] : fieldImmutable('spec.selector', spec.selector, old.spec.selector)),
  ];
}

function selectorErrors(selector: LabelSelector, template: PodTemplateSpec): readonly FieldError[] {
  const expressions = selector.matchExpressions ?? [];
  const shape = [
    ...validateLabels(selector.matchLabels, 'spec.selector.matchLabels'),
    ...expressions.flatMap(({ key, operator, values }, index) => {
      const field = `spec.selector.matchExpressions[${index}]`;
      const listed = operator === 'In' || operator === 'NotIn';
      return [
        ...wrong(`${field}.key`, key, qualifiedName),
        ...(values ?? []).flatMap((value, place) => wrong(`${field}.values[${place}]`, value, labelValue)),
        ...(listed && (values ?? []).length === 0
          ? [fieldRequired(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'")]
          : []),
      ];
    }),
  ];
  if (shape.length > 0) return shape;
  const empty = Object.keys(selector.matchLabels ?? {}).length === 0 && expressions.length === 0;
  if (empty) return [fieldInvalid('spec.selector', selector, 'empty selector is invalid for deployment')];
  return matchesSelector(selector, template.metadata.labels)
    ? []
    : [
        fieldInvalid(
          'spec.template.metadata.labels',
          template.metadata.labels ?? {},
          '`selector` does not match template `labels`',
        ),
      ];
}

/** ValidatePodTemplateSpecForReplicaSet: pods of a set that keeps them running are always restarted. */
function templateErrors({ metadata, spec }: PodTemplateSpec): readonly FieldError[] {
  return [
    ...validateLabels(metadata.labels, 'spec.template.metadata.labels'),
    ...validateAnnotations(metadata.annotations, 'spec.template.metadata.annotations'),
    ...validatePodSpec(spec, 'spec.template.spec'),
    ...(spec.restartPolicy === 'Always'
      ? []
      : [fieldNotSupported('spec.template.spec.restartPolicy', spec.restartPolicy, ['Always'])]),
  ];
}

function strategyErrors({ type, rollingUpdate }: Deployment['spec']['strategy']): readonly FieldError[] {
  if (rollingUpdate === undefined) return [];
  const field = 'spec.strategy.rollingUpdate';
  if (type === 'Recreate') {
    return [
      {
        type: 'FieldValueForbidden',
        field,
        message: "Forbidden: may not be specified when strategy `type` is 'Recreate'",
      },
    ];
  }
  const { maxSurge, maxUnavailable } = rollingUpdate;
  const shape = [
    ...amountErrors(maxUnavailable, `${field}.maxUnavailable`),
    ...amountErrors(maxSurge, `${field}.maxSurge`),
    ...(typeof maxUnavailable === 'string' && (resolveIntOrPercent(maxUnavailable, 100, 'down') ?? 0) > 100
      ? [fieldInvalid(`${field}.maxUnavailable`, maxUnavailable, 'must not be greater than 100%')]
      : []),
  ];
  const stuck =
    resolveIntOrPercent(maxUnavailable, 100, 'down') === 0 && resolveIntOrPercent(maxSurge, 100, 'up') === 0;
  return shape.length === 0 && stuck
    ? [fieldInvalid(`${field}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0')]
    : shape;
}

function amountErrors(amount: number | string, field: string): readonly FieldError[] {
  if (typeof amount === 'number') return notNegative(amount, field);
  return /^[0-9]+%$/.test(amount)
    ? []
    : [
        fieldInvalid(
          field,
          amount,
          "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
        ),
      ];
}

function notNegative(value: number, field: string): readonly FieldError[] {
  return value < 0 ? [fieldInvalid(field, value, 'must be greater than or equal to 0')] : [];
}
