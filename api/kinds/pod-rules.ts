import { fieldDuplicate, fieldForbidden, fieldInvalid, fieldNotSupported, fieldRequired } from '../meta/field-error.ts';
import { wrong } from '../meta/metadata-rules.ts';
import { dnsLabel, dnsSubdomain } from '../meta/names.ts';
import type { FieldError } from '../meta/status.ts';
import { validateContainer } from './container-rules.ts';
import type { Pod } from './pod.ts';
import type { PodSpec } from './pod-spec.ts';
import { VOLUME_SOURCES, type Volume } from './volume.ts';

/** ValidatePodSpec (k8s.io/kubernetes/pkg/apis/core/validation/validation.go), for what Tutti acts on. */
export function validatePodSpec(spec: PodSpec, field: string): readonly FieldError[] {
  const init = spec.initContainers ?? [];
  const volumes = spec.volumes ?? [];
  return [
    ...volumeErrors(volumes, `${field}.volumes`),
    ...(spec.containers.length === 0 ? [fieldRequired(`${field}.containers`)] : []),
    ...spec.containers.flatMap((container, index) =>
      validateContainer(container, { field: `${field}.containers[${index}]`, volumes, role: 'main' }),
    ),
    ...init.flatMap((container, index) =>
      validateContainer(container, { field: `${field}.initContainers[${index}]`, volumes, role: 'init' }),
    ),
    ...duplicateNames(spec, field),
    ...(spec.terminationGracePeriodSeconds < 0
      ? [
          fieldInvalid(
            `${field}.terminationGracePeriodSeconds`,
            spec.terminationGracePeriodSeconds,
            'must be greater than or equal to 0',
          ),
        ]
      : []),
    ...(spec.serviceAccountName ? wrong(`${field}.serviceAccountName`, spec.serviceAccountName, dnsSubdomain) : []),
    ...(spec.nodeName ? wrong(`${field}.nodeName`, spec.nodeName, dnsSubdomain) : []),
    ...(spec.hostname ? wrong(`${field}.hostname`, spec.hostname, dnsLabel) : []),
    ...(spec.subdomain ? wrong(`${field}.subdomain`, spec.subdomain, dnsLabel) : []),
    ...(spec.runtimeClassName === undefined || spec.runtimeClassName === 'process'
      ? []
      : [fieldNotSupported(`${field}.runtimeClassName`, spec.runtimeClassName, ['process'])]),
  ];
}

/** ValidatePodUpdate: what runs cannot be changed, but for these fields. */
export function validatePod(pod: Pod, old: Pod | undefined): readonly FieldError[] {
  return [...validatePodSpec(pod.spec, 'spec'), ...(old === undefined ? [] : updateErrors(pod, old))];
}

const UPDATABLE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

function updateErrors(pod: Pod, old: Pod): readonly FieldError[] {
  if (stable(pod.spec, old.spec) === stable(old.spec, old.spec)) return [];
  return [fieldForbidden('spec', UPDATABLE)];
}

/** The spec's text without what may change. Binding a pod that has no node yet is the scheduler's one change. */
function stable(spec: PodSpec, old: PodSpec): string {
  const withoutImages = (containers: PodSpec['containers'] | undefined): unknown =>
    containers?.map((container) => ({ ...container, image: '' }));
  return sortedJson({
    ...spec,
    activeDeadlineSeconds: undefined,
    tolerations: undefined,
    nodeName: old.nodeName ? spec.nodeName : undefined,
    containers: withoutImages(spec.containers),
    initContainers: withoutImages(spec.initContainers),
  });
}

function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, field: unknown) =>
    typeof field === 'object' && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort(([left], [right]) => (left < right ? -1 : 1)))
      : field,
  );
}

function duplicateNames({ containers, initContainers = [] }: PodSpec, field: string): readonly FieldError[] {
  const all = [
    ...initContainers.map(({ name }, index) => [name, `${field}.initContainers[${index}].name`] as const),
    ...containers.map(({ name }, index) => [name, `${field}.containers[${index}].name`] as const),
  ];
  return all.flatMap(([name, at], index) =>
    all.findIndex(([other]) => other === name) < index ? [fieldDuplicate(at, name)] : [],
  );
}

function volumeErrors(volumes: readonly Volume[], field: string): readonly FieldError[] {
  return volumes.flatMap((volume, index) => {
    const at = `${field}[${index}]`;
    const [, ...more] = VOLUME_SOURCES.filter((source) => volume[source] !== undefined);
    return [
      ...wrong(`${at}.name`, volume.name, dnsLabel),
      ...(volumes.findIndex(({ name }) => name === volume.name) < index
        ? [fieldDuplicate(`${at}.name`, volume.name)]
        : []),
      ...more.map((source) => fieldForbidden(`${at}.${source}`, 'may not specify more than 1 volume type')),
      ...(volume.configMap?.name === '' ? [fieldRequired(`${at}.configMap.name`)] : []),
      ...(volume.secret !== undefined && !volume.secret.secretName ? [fieldRequired(`${at}.secret.secretName`)] : []),
      ...pathErrors(volume, at),
    ];
  });
}

/** Files of a projection stay within their folder (validateLocalNonReservedPath). */
function pathErrors(volume: Volume, at: string): readonly FieldError[] {
  const files = [
    ...(volume.configMap?.items ?? []).map(
      ({ path }, index) => [path, `${at}.configMap.items[${index}].path`] as const,
    ),
    ...(volume.secret?.items ?? []).map(({ path }, index) => [path, `${at}.secret.items[${index}].path`] as const),
    ...(volume.downwardAPI?.items ?? []).map(
      ({ path }, index) => [path, `${at}.downwardAPI.items[${index}].path`] as const,
    ),
    ...(volume.projected?.sources ?? []).flatMap((source, index) =>
      [...(source.configMap?.items ?? []), ...(source.secret?.items ?? []), ...(source.downwardAPI?.items ?? [])].map(
        ({ path }) => [path, `${at}.projected.sources[${index}]`] as const,
      ),
    ),
  ];
  return files.flatMap(([path, where]) => {
    if (path === '') return [fieldRequired(where)];
    if (path.startsWith('/')) return [fieldInvalid(where, path, 'must be a relative path')];
    if (path.split('/').includes('..')) return [fieldInvalid(where, path, "must not contain '..'")];
    return path.startsWith('..') ? [fieldInvalid(where, path, "must not start with '..'")] : [];
  });
}
