import { fieldForbidden, fieldImmutable, fieldInvalid, fieldRequired, fieldTooLong } from './field-error.ts';
import { dnsLabel, labelValue, type NameRule, qualifiedName } from './names.ts';
import type { ObjectMeta, OwnerReference } from './object-meta.ts';
import type { FieldError } from './status.ts';

/** Keys and values of all annotations together (TotalAnnotationSizeLimitB). */
const ANNOTATIONS_MAX_BYTES = 256 * 1024;

export interface MetadataRules {
  readonly nameRule: NameRule;
  readonly namespaced: boolean;
  /** A finalizer without a domain must be one of Kubernetes' own: so for kinds of its core, not for others. */
  readonly qualifiedFinalizers: boolean;
}

/** What ValidateObjectMeta and ValidateObjectMetaUpdate check (k8s.io/apimachinery/pkg/api/validation/objectmeta.go). */
export function validateMetadata(
  metadata: ObjectMeta,
  old: ObjectMeta | undefined,
  rules: MetadataRules,
): readonly FieldError[] {
  return [
    ...nameErrors(metadata, rules),
    ...validateLabels(metadata.labels, 'metadata.labels'),
    ...validateAnnotations(metadata.annotations, 'metadata.annotations'),
    ...ownerErrors(metadata),
    ...(metadata.finalizers ?? []).flatMap((name, index) => finalizerErrors(name, index, rules)),
    ...(old === undefined ? [] : updateErrors(metadata, old)),
  ];
}

export function validateLabels(
  labels: Readonly<Record<string, string>> | undefined,
  field: string,
): readonly FieldError[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...wrong(field, key, qualifiedName),
    ...wrong(field, value, labelValue),
  ]);
}

export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  field: string,
): readonly FieldError[] {
  const entries = Object.entries(annotations ?? {});
  const bytes = entries.reduce((sum, [key, value]) => sum + sizeOf(key) + sizeOf(value), 0);
  return [
    ...entries.flatMap(([key]) => wrong(field, key, (name) => qualifiedName(name.toLowerCase()))),
    ...(bytes > ANNOTATIONS_MAX_BYTES ? [fieldTooLong(field, ANNOTATIONS_MAX_BYTES)] : []),
  ];
}

/** What a rule says of a value, as a list of errors for `field`. */
export function wrong(field: string, value: string, rule: NameRule): readonly FieldError[] {
  return rule(value).map((why) => fieldInvalid(field, value, why));
}

function nameErrors(metadata: ObjectMeta, { nameRule, namespaced }: MetadataRules): readonly FieldError[] {
  const name = metadata.name ?? '';
  const namespace = metadata.namespace ?? '';
  return [
    ...(name === ''
      ? [fieldRequired('metadata.name', 'name or generateName is required')]
      : wrong('metadata.name', name, nameRule)),
    ...(namespaced && namespace === '' ? [fieldRequired('metadata.namespace')] : []),
    ...(namespaced && namespace !== '' ? wrong('metadata.namespace', namespace, dnsLabel) : []),
    ...(!namespaced && namespace !== '' ? [fieldForbidden('metadata.namespace', 'not allowed on this type')] : []),
  ];
}

/** Those of Kubernetes itself stand without a domain (corev1.FinalizerKubernetes, metav1.FinalizerOrphanDependents, …). */
export const STANDARD_FINALIZERS = ['kubernetes', 'orphan', 'foregroundDeletion'];

function finalizerErrors(name: string, index: number, { qualifiedFinalizers }: MetadataRules): readonly FieldError[] {
  const shape = wrong('metadata.finalizers', name, qualifiedName);
  if (!qualifiedFinalizers || shape.length > 0 || name.includes('/') || STANDARD_FINALIZERS.includes(name))
    return shape;
  const detail = 'name is neither a standard finalizer name nor is it fully qualified';
  return [fieldInvalid(`metadata.finalizers[${index}]`, name, detail)];
}

function ownerErrors(metadata: ObjectMeta): readonly FieldError[] {
  return [...(metadata.ownerReferences ?? []).flatMap(referenceErrors), ...controllerErrors(metadata)];
}

function referenceErrors(reference: OwnerReference): readonly FieldError[] {
  return (['apiVersion', 'kind', 'name', 'uid'] as const)
    .filter((field) => reference[field] === '')
    .map((field) => fieldInvalid(`metadata.ownerReferences.${field}`, '', 'must not be empty'));
}

function controllerErrors({ ownerReferences }: ObjectMeta): readonly FieldError[] {
  const controllers = (ownerReferences ?? []).filter(({ controller }) => controller === true);
  const names = controllers.map(({ kind, name }) => `${kind}/${name}`);
  if (names.length < 2) return [];
  const detail = `Only one reference can have Controller set to true. Found "true" in references for ${names.join(' and ')}`;
  return [fieldInvalid('metadata.ownerReferences', ownerReferences, detail)];
}

function updateErrors(metadata: ObjectMeta, old: ObjectMeta): readonly FieldError[] {
  return (['name', 'namespace', 'uid', 'creationTimestamp'] as const).flatMap((field) =>
    fieldImmutable(`metadata.${field}`, metadata[field], old[field]),
  );
}

function sizeOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
