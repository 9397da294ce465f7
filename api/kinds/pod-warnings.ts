import type { PodSpec } from './pod-spec.ts';
import { type Unenforced, unenforcedFields } from './unenforced.ts';

/** Fields of a pod that the process driver and the scheduler do not act on. Whoever makes one work takes its line out. */
const UNENFORCED: readonly Unenforced[] = [
  { path: 'affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution' },
  { path: 'affinity.podAffinity' },
  { path: 'affinity.podAntiAffinity' },
  { path: 'tolerations[*].tolerationSeconds' },
  { path: 'topologySpreadConstraints' },
  { path: 'priorityClassName' },
  { path: 'schedulingGroup' },
  { path: 'schedulerName', unless: ['default-scheduler'] },
  { path: 'runtimeClassName', unless: ['process'] },
  { path: 'dnsPolicy', unless: ['ClusterFirst'] },
  { path: 'dnsConfig' },
  { path: 'hostAliases' },
  { path: 'hostNetwork', unless: [false] },
  { path: 'hostPID', unless: [false] },
  { path: 'hostIPC', unless: [false] },
  { path: 'hostUsers' },
  { path: 'shareProcessNamespace', unless: [false] },
  { path: 'setHostnameAsFQDN', unless: [false] },
  { path: 'hostnameOverride' },
  ...unenforcedSecurity('securityContext'),
  { path: 'imagePullSecrets' },
  { path: 'overhead' },
  { path: 'os' },
  { path: 'resources' },
  { path: 'resourceClaims' },
  { path: 'ephemeralContainers' },
  ...['containers[*]', 'initContainers[*]'].flatMap((container): Unenforced[] => [
    ...unenforcedSecurity(`${container}.securityContext`),
    { path: `${container}.lifecycle.stopSignal` },
    { path: `${container}.resources.claims` },
    { path: `${container}.resizePolicy` },
    { path: `${container}.restartPolicyRules` },
    { path: `${container}.volumeDevices` },
    { path: `${container}.volumeMounts[*].mountPropagation` },
    { path: `${container}.ports[*].hostPort` },
    { path: `${container}.stdin`, unless: [false] },
    { path: `${container}.tty`, unless: [false] },
  ]),
  ...[
    'persistentVolumeClaim',
    'ephemeral',
    'image',
    'nfs',
    'csi',
    'awsElasticBlockStore',
    'azureDisk',
    'azureFile',
    'cephfs',
    'cinder',
    'fc',
    'flexVolume',
    'flocker',
    'gcePersistentDisk',
    'gitRepo',
    'glusterfs',
    'iscsi',
    'photonPersistentDisk',
    'portworxVolume',
    'quobyte',
    'rbd',
    'scaleIO',
    'storageos',
    'vsphereVolume',
  ].map((source): Unenforced => ({ path: `volumes[*].${source}` })),
];

/** Containers are host processes: beside the user and group that they run as, nothing of a security context holds. */
function unenforcedSecurity(context: string): readonly Unenforced[] {
  return [
    'allowPrivilegeEscalation',
    'appArmorProfile',
    'capabilities',
    'fsGroup',
    'fsGroupChangePolicy',
    'privileged',
    'procMount',
    'readOnlyRootFilesystem',
    'runAsNonRoot',
    'seLinuxChangePolicy',
    'seLinuxOptions',
    'seccompProfile',
    'supplementalGroups',
    'supplementalGroupsPolicy',
    'sysctls',
    'windowsOptions',
  ].map((field) => ({ path: `${context}.${field}` }));
}

/** Warnings for the fields of the pod spec at `field` that are accepted and not acted on. */
export function podSpecWarnings(spec: PodSpec, field: string): readonly string[] {
  return unenforcedFields(spec, field, UNENFORCED);
}
