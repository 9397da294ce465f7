import { fieldForbidden, fieldImmutable, fieldInvalid, fieldNotSupported, fieldRequired } from '../meta/field-error.ts';
import { resolveIntOrPercent } from '../meta/int-or-percent.ts';
import { type LabelSelector, matchesSelector } from '../meta/label-selector.ts';
import { validateAnnotations, validateLabels, wrong } from '../meta/metadata-rules.ts';
import { labelValue, qualifiedName } from '../meta/names.ts';
import type { FieldError } from '../meta/status.ts';
import type { Deployment } from './deployment.ts';
import { nameAdvice, podAnnotationAdvice, podSpecAdvice } from './pod-advice.ts';
import { validatePodSpec } from './pod-rules.ts';
import type { PodTemplateSpec } from './pod-spec.ts';
import { podSpecWarnings } from './pod-warnings.ts';
import type { ReplicaSet } from './replica-set.ts';

/** ValidateDeployment and ValidateDeploymentUpdate (k8s.io/kubernetes/pkg/apis/apps/validation/validation.go). */
export function validateDeployment({ spec, status }: Deployment, old: Deployment | undefined): readonly FieldError[] {
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
    ...countErrors(status, ['updatedReplicas', 'readyReplicas', 'availableReplicas']),
    ...(old === undefined ? [] : fieldImmutable('spec.selector', spec.selector, old.spec.selector)),
  ];
}

export function validateReplicaSet({ spec, status }: ReplicaSet, old: ReplicaSet | undefined): readonly FieldError[] {
  return [
    ...notNegative(spec.replicas, 'spec.replicas'),
    ...notNegative(spec.minReadySeconds ?? 0, 'spec.minReadySeconds'),
    ...selectorErrors(spec.selector, spec.template),
    ...templateErrors(spec.template),
    ...countErrors(status, ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas']),
    ...(old === undefined ? [] : fieldImmutable('spec.selector', spec.selector, old.spec.selector)),
  ];
}

/** ValidateDeploymentStatus, ValidateReplicaSetStatus: none of the pods counted is more than all, or than those that are ready. */
function countErrors<Count extends string>(
  status: { readonly [Name in Count | 'replicas' | 'readyReplicas']?: unknown },
  counts: readonly Count[],
): readonly FieldError[] {
  const of = (name: Count | 'replicas' | 'readyReplicas'): number => Number(status[name] ?? 0);
  const negative = notNegative(of('replicas'), 'status.replicas');
  const above = counts.filter((name) => of(name) > of('replicas'));
  const available = counts.find((name) => name === 'availableReplicas');
  return [
    ...negative,
    ...above.map((name) => fieldInvalid(`status.${name}`, of(name), 'cannot be greater than status.replicas')),
    ...(available !== undefined && of(available) > of('readyReplicas')
      ? [fieldInvalid(`status.${available}`, of(available), 'cannot be greater than readyReplicas')]
      : []),
  ];
}

/** As Go writes it: keys of maps are sorted. */
function inOrder({ matchLabels, ...rest }: LabelSelector): LabelSelector {
  const sorted = Object.entries(matchLabels ?? {}).sort(([left], [right]) => (left < right ? -1 : 1));
  return matchLabels === undefined ? rest : { matchLabels: Object.fromEntries(sorted), ...rest };
}

/** What to know of a workload that is accepted. */
export function workloadWarnings({ metadata, spec }: Deployment | ReplicaSet): readonly string[] {
  return [
    ...nameAdvice(metadata.name, 'Pod names and hostnames'),
    ...podAnnotationAdvice(spec.template.metadata?.annotations, 'spec.template.metadata'),
    ...podSpecAdvice(spec.template.spec, 'spec.template.spec'),
    ...podSpecWarnings(spec.template.spec, 'spec.template.spec'),
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
        ...(!listed && (values ?? []).length > 0
          ? [fieldForbidden(`${field}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")]
          : []),
      ];
    }),
  ];
  if (shape.length > 0) return [...shape, fieldInvalid('spec.selector', inOrder(selector), 'invalid label selector')];
  const empty = Object.keys(selector.matchLabels ?? {}).length === 0 && expressions.length === 0;
  if (empty) return [fieldInvalid('spec.selector', selector, 'empty selector is invalid for deployment')];
  return matchesSelector(selector, template.metadata.labels)
    ? []
    : [
        fieldInvalid(
          'spec.template.metadata.labels',
          template.metadata.labels ?? null,
          '`selector` does not match template `labels`',
        ),
      ];
}

/** ValidatePodTemplateSpecForReplicaSet: pods of a set that keeps them running are always restarted. */
function templateErrors({ metadata, spec }: PodTemplateSpec): readonly FieldError[] {
  return [
    ...validateLabels(metadata.labels, 'spec.template.labels'),
    ...validateAnnotations(metadata.annotations, 'spec.template.annotations'),
    ...validatePodSpec(spec, 'spec.template.spec'),
    ...(spec.restartPolicy === 'Always'
      ? []
      : [fieldNotSupported('spec.template.spec.restartPolicy', spec.restartPolicy, ['Always'])]),
    ...(spec.activeDeadlineSeconds === undefined
      ? []
      : [
          fieldForbidden(
            'spec.template.spec.activeDeadlineSeconds',
            'activeDeadlineSeconds in ReplicaSet is not Supported',
          ),
        ]),
    ...((spec.ephemeralContainers ?? []).length === 0
      ? []
      : [fieldForbidden('spec.template.spec.ephemeralContainers', 'ephemeral containers not allowed in pod template')]),
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
