import type { Pod } from '../../api/kinds/pod.ts';
import { ConfigError } from './config-error.ts';

/** What is known of a pod beyond its object. */
export interface PodPlace {
  readonly nodeName: string;
  readonly hostAddress: string;
  readonly podAddress: string;
}

/**
 * A field of the pod as text, for environment variables and downward API files (pkg/fieldpath/fieldpath.go and
 * kubelet_pods.go, podFieldSelectorRuntimeValue). Throws ConfigError for a path that no one knows.
 */
export function fieldValue(pod: Pod, fieldPath: string, place: PodPlace): string {
  const { metadata, spec } = pod;
  const subscript = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(fieldPath);
  if (subscript !== null) {
    const [, field, key = ''] = subscript;
    return (field === 'labels' ? metadata.labels : metadata.annotations)?.[key] ?? '';
  }
  switch (fieldPath) {
    case 'metadata.name':
      return metadata.name;
    case 'metadata.namespace':
      return metadata.namespace ?? '';
    case 'metadata.uid':
      return metadata.uid;
    case 'metadata.labels':
      return lines(metadata.labels);
    case 'metadata.annotations':
      return lines(metadata.annotations);
    case 'spec.nodeName':
      return place.nodeName;
    case 'spec.serviceAccountName':
      return spec.serviceAccountName ?? '';
    case 'status.hostIP':
    case 'status.hostIPs':
      return place.hostAddress;
    case 'status.podIP':
    case 'status.podIPs':
      return place.podAddress;
    default:
      throw new ConfigError(`unsupported fieldPath: ${fieldPath}`);
  }
}

/** `key="value"` by line, sorted by key (fieldpath.FormatMap). */
function lines(map: Readonly<Record<string, string>> | null | undefined): string {
  return Object.entries(map ?? {})
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');
}
