import { fieldDuplicate, fieldForbidden, fieldInvalid, fieldNotSupported, fieldRequired } from '../meta/field-error.ts';
import { wrong } from '../meta/metadata-rules.ts';
import { dnsLabel, dnsSubdomain, ipAddress, qualifiedName } from '../meta/names.ts';
import type { FieldError } from '../meta/status.ts';
import { validateContainer } from './container-rules.ts';
import type { Pod } from './pod.ts';
import type { PodSpec } from './pod-spec.ts';
import { affinityErrors, nodeSelectorErrors, spreadErrors, tolerationErrors } from './scheduling-rules.ts';
import { podSecurityErrors } from './security-rules.ts';
import { volumeErrors } from './volume-rules.ts';

/** ValidatePodSpec (k8s.io/kubernetes/pkg/apis/core/validation/validation.go), for what Tutti acts on. */
export function validatePodSpec(spec: PodSpec, field: string): readonly FieldError[] {
  // What is wrong by itself is not there for those who would mount it.
  const volumes = (spec.volumes ?? []).filter((volume) => volumeErrors([volume], '').length === 0);
  const graceSeconds = spec.terminationGracePeriodSeconds;
  return [
    ...volumeErrors(spec.volumes ?? [], `${field}.volumes`),
    ...(spec.containers.length === 0 ? [fieldRequired(`${field}.containers`)] : []),
    ...spec.containers.flatMap((container, index) =>
      validateContainer(container, { field: `${field}.containers[${index}]`, volumes, role: 'main', graceSeconds }),
    ),
    ...(spec.initContainers ?? []).flatMap((container, index) =>
      validateContainer(container, { field: `${field}.initContainers[${index}]`, volumes, role: 'init', graceSeconds }),
    ),
    ...hostPortErrors(spec, field),
    ...duplicateNames(spec, field),
    ...podSecurityErrors(spec, field),
    ...hostAliasErrors(spec, field),
    ...nodeSelectorErrors(spec, field),
    ...affinityErrors(spec, field),
    ...dnsErrors(spec, field),
    ...(spec.readinessGates ?? []).flatMap(({ conditionType }, index) =>
      wrong(`${field}.readinessGates[${index}].conditionType`, conditionType, qualifiedName),
    ),
    ...(spec.schedulingGates ?? []).flatMap(({ name }, index) =>
      wrong(`${field}.schedulingGates[${index}]`, name, qualifiedName),
    ),
    ...spreadErrors(spec, field),
    ...(graceSeconds < 0
      ? [fieldInvalid(`${field}.terminationGracePeriodSeconds`, graceSeconds, 'must be greater than or equal to 0')]
      : []),
    ...(spec.serviceAccountName ? wrong(`${field}.serviceAccountName`, spec.serviceAccountName, dnsSubdomain) : []),
    ...(spec.nodeName ? wrong(`${field}.nodeName`, spec.nodeName, dnsSubdomain) : []),
    ...(spec.activeDeadlineSeconds !== undefined && spec.activeDeadlineSeconds < 1
      ? [
          fieldInvalid(
            `${field}.activeDeadlineSeconds`,
            spec.activeDeadlineSeconds,
            'must be between 1 and 2147483647, inclusive',
          ),
        ]
      : []),
    ...(spec.hostname ? wrong(`${field}.hostname`, spec.hostname, dnsLabel) : []),
    ...(spec.subdomain ? wrong(`${field}.subdomain`, spec.subdomain, dnsLabel) : []),
    ...tolerationErrors(spec, field),
    ...(spec.runtimeClassName === undefined || spec.runtimeClassName === 'process'
      ? []
      : [fieldNotSupported(`${field}.runtimeClassName`, spec.runtimeClassName, ['process'])]),
  ];
}

/** Who turns the cluster's DNS off says which server to ask instead (validatePodDNSConfig). */
function dnsErrors({ dnsPolicy, dnsConfig }: PodSpec, field: string): readonly FieldError[] {
  const at = `${field}.dnsConfig`;
  const addresses = (dnsConfig?.nameservers ?? []).flatMap((address, index) =>
    wrong(`${at}.nameservers[${index}]`, address, ipAddress),
  );
  if (dnsPolicy !== 'None' || addresses.length > 0) return addresses;
  if (dnsConfig === undefined) return [fieldRequired(at, 'must provide `dnsConfig` when `dnsPolicy` is None')];
  return (dnsConfig.nameservers ?? []).length > 0
    ? []
    : [fieldRequired(`${at}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None')];
}

/** AccumulateUniqueHostPorts: a port of the node is one container's. */
function hostPortErrors({ containers, initContainers = [] }: PodSpec, field: string): readonly FieldError[] {
  const taken = new Set<string>();
  const lists = [
    [containers, 'containers'],
    [initContainers, 'initContainers'],
  ] as const;
  return lists.flatMap(([list, name]) =>
    list.flatMap(({ ports = [] }, index) =>
      ports.flatMap(({ protocol, hostIP = '', hostPort = 0 }, place) => {
        const port = `${protocol}/${hostIP}/${hostPort}`;
        const again = hostPort !== 0 && taken.has(port);
        taken.add(port);
        return again ? [fieldDuplicate(`${field}.${name}[${index}].ports[${place}].hostPort`, port)] : [];
      }),
    ),
  );
}

function hostAliasErrors({ hostAliases = [] }: PodSpec, field: string): readonly FieldError[] {
  return hostAliases.flatMap(({ ip, hostnames = [] }, index) => {
    const at = `${field}.hostAliases[${index}]`;
    return [
      ...wrong(`${at}.ip`, ip, ipAddress),
      ...hostnames.flatMap((name, place) => wrong(`${at}.hostnames[${place}]`, name, dnsSubdomain)),
    ];
  });
}

/** ValidatePodUpdate: what runs cannot be changed, but for these fields. */
export function validatePod(pod: Pod, old: Pod | undefined): readonly FieldError[] {
  return [...validatePodSpec(pod.spec, 'spec'), ...(old === undefined ? createErrors(pod) : updateErrors(pod, old))];
}

function createErrors({ spec }: Pod): readonly FieldError[] {
  return (spec.ephemeralContainers ?? []).length === 0
    ? []
    : [fieldForbidden('spec.ephemeralContainers', 'cannot be set on create')];
}

const UPDATABLE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

function updateErrors(pod: Pod, old: Pod): readonly FieldError[] {
  const resized = (['containers', 'initContainers'] as const).filter(
    (list) => (pod.spec[list] ?? []).length !== (old.spec[list] ?? []).length,
  );
  if (resized.length > 0)
    return resized.map((list) => fieldForbidden(`spec.${list}`, 'pod updates may not add or remove containers'));
  const [deadline, before] = [pod.spec.activeDeadlineSeconds, old.spec.activeDeadlineSeconds];
  if (before !== undefined && (deadline === undefined || deadline > before)) {
    const detail = 'must be less than or equal to previous value';
    return [fieldInvalid('spec.activeDeadlineSeconds', deadline ?? null, detail)];
  }
  if (!onlyMoreTolerated(pod.spec, old.spec))
    return [fieldForbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds')];
  if (stable(pod.spec, old.spec) === stable(old.spec, old.spec)) return [];
  return [fieldForbidden('spec', UPDATABLE)];
}

/** validateOnlyAddedTolerations. */
function onlyMoreTolerated({ tolerations = [] }: PodSpec, { tolerations: old = [] }: PodSpec): boolean {
  const text = ({ key = '', operator = '', value = '', effect = '' }: (typeof tolerations)[number]): string =>
    JSON.stringify([key, operator || 'Equal', value, effect]);
  const present = new Set(tolerations.map(text));
  return old.every((toleration) => present.has(text(toleration)));
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

/** A name that two of the main containers have, or that an init container has after others. */
function duplicateNames({ containers, initContainers = [] }: PodSpec, field: string): readonly FieldError[] {
  const all = [
    ...containers.map(({ name }, index) => [name, `${field}.containers[${index}].name`] as const),
    ...initContainers.map(({ name }, index) => [name, `${field}.initContainers[${index}].name`] as const),
  ];
  return all.flatMap(([name, at], index) =>
    all.findIndex(([other]) => other === name) < index ? [fieldDuplicate(at, name)] : [],
  );
}
