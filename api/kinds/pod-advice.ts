import { dnsLabel } from '../meta/names.ts';
import { readProxyConcurrency } from '../meta/proxy-concurrency.ts';
import { PROXY_CONCURRENCY } from '../meta/well-known.ts';
import type { PodSpec } from './pod-spec.ts';

/* What Kubernetes warns of though it takes it (pkg/api/pod/warnings.go). */

type Container = PodSpec['containers'][number];

/** A pod's name is its host name, which is a label. */
export function nameAdvice(name: string, uses: string): readonly string[] {
  const errors = dnsLabel(name);
  const detail = `this is used in ${uses}, which can result in surprising behavior; a DNS label is recommended`;
  return errors.length === 0 ? [] : [`metadata.name: ${detail}: [${errors.join(' ')}]`];
}

/** Annotations that Tutti reads and cannot make sense of. `field`: where the pod's metadata is. */
export function podAnnotationAdvice(
  annotations: Readonly<Record<string, string>> | undefined,
  field: string,
): readonly string[] {
  const concurrency = readProxyConcurrency(annotations?.[PROXY_CONCURRENCY]);
  if (concurrency === undefined || !('problem' in concurrency)) return [];
  return [`${field}.annotations[${PROXY_CONCURRENCY}]: ${concurrency.problem}; the sidecar has one worker`];
}

export function podSpecAdvice(spec: PodSpec, field: string): readonly string[] {
  return [
    ...(spec.topologySpreadConstraints ?? []).flatMap(({ labelSelector }, index) =>
      labelSelector === undefined
        ? [
            `${field}.topologySpreadConstraints[${index}].labelSelector: a null labelSelector results in matching no pod`,
          ]
        : [],
    ),
    ...(spec.volumes ?? []).flatMap(({ name, projected }) =>
      projected?.sources?.some((source) => Object.keys(source).length === 0) === true
        ? [`volume ${JSON.stringify(name)} (Projected) has no sources provided`]
        : [],
    ),
    ...spec.containers.flatMap((container, index) => containerAdvice(container, `${field}.containers[${index}]`)),
    ...(spec.initContainers ?? []).flatMap((container, index) =>
      containerAdvice(container, `${field}.initContainers[${index}]`),
    ),
  ];
}

function containerAdvice({ env = [], ports = [] }: Container, field: string): readonly string[] {
  return [
    ...env.flatMap(({ name }, index) =>
      env.findIndex((other) => other.name === name) < index
        ? [
            `${field}.env[${index}]: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`,
          ]
        : [],
    ),
    ...ports.flatMap(({ containerPort, protocol }, index) => {
      const first = ports.findIndex((other) => other.containerPort === containerPort && other.protocol === protocol);
      return first < index ? [`${field}.ports[${index}]: duplicate port definition with ${field}.ports[${first}]`] : [];
    }),
  ];
}
