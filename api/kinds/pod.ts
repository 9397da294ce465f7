import { z } from 'zod';
import { defineKind, identity, type Stored } from './define-kind.ts';
import { nameAdvice, podAnnotationAdvice, podSpecAdvice } from './pod-advice.ts';
import { podColumns } from './pod-columns.ts';
import { validatePod } from './pod-rules.ts';
import { podSpecSchema } from './pod-spec.ts';
import { podStatusSchema } from './pod-status.ts';
import { podSpecWarnings } from './pod-warnings.ts';
import type { ResourceRequirements } from './resources.ts';

const podSchema = z
  .strictObject({
    ...identity('v1', 'Pod'),
    spec: podSpecSchema.overwrite(withPodDefaults).describe('What the pod is to be.'),
    status: podStatusSchema.prefault({}).describe('What the pod is. Read-only.'),
  })
  .describe('A group of containers that run together on one node, with one address and one identity.');

export type Pod = Stored<typeof podSchema>;

export const podKind = defineKind<Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  subresources: ['status', 'log'],
  schema: podSchema,
  columns: podColumns,
  selectableFields: {
    'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
    'spec.restartPolicy': ({ spec }) => spec.restartPolicy,
    'spec.schedulerName': ({ spec }) => spec.schedulerName,
    'spec.serviceAccountName': ({ spec }) => spec.serviceAccountName ?? '',
    'spec.hostNetwork': ({ spec }) => String(spec.hostNetwork ?? false),
    'status.phase': ({ status }) => status.phase,
    'status.podIP': ({ status }) => status.podIP ?? '',
    'status.nominatedNodeName': ({ status }) => status.nominatedNodeName ?? '',
  },
  validate: validatePod,
  warnings: ({ metadata, spec }) => [
    ...nameAdvice(metadata.name, "the Pod's hostname"),
    ...podAnnotationAdvice(metadata.annotations, 'metadata'),
    ...podSpecAdvice(spec, 'spec'),
    ...podSpecWarnings(spec, 'spec'),
  ],
});

type PodSpec = z.infer<typeof podSpecSchema>;

/** Defaults that a template does not get, only a pod (SetDefaults_Pod): requests follow limits, Services are told. */
function withPodDefaults(spec: PodSpec): PodSpec {
  const { tolerations, ...others } = spec;
  const filled = {
    ...others,
    ...(tolerations === undefined || tolerations.length === 0 ? {} : { tolerations }),
    enableServiceLinks: spec.enableServiceLinks ?? true,
    containers: spec.containers.map((each) => ({ ...each, resources: withRequests(each.resources) })),
  };
  if (spec.initContainers === undefined) return filled;
  const initContainers = spec.initContainers.map((each) => ({ ...each, resources: withRequests(each.resources) }));
  return { ...filled, initContainers };
}

function withRequests(resources: ResourceRequirements): ResourceRequirements {
  return resources.limits === undefined
    ? resources
    : { ...resources, requests: { ...resources.limits, ...resources.requests } };
}
