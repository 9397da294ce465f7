import type { PodTemplateSpec } from '../../../api/kinds/pod-spec.ts';
import { safeEncode } from '../../../kit/ids.ts';

/** The label that tells the pods of one ReplicaSet from those of another of the same Deployment. */
export const POD_TEMPLATE_HASH = 'pod-template-hash';

/**
 * Names a template: the same fields give the same text whatever their order; each collision gives another.
 * Kubernetes hashes Go's memory layout, which nobody can reproduce; any stable hash serves, because ReplicaSets are
 * found by comparing templates.
 */
export function templateHash(template: PodTemplateSpec, collisionCount: number | undefined): string {
  const salt = collisionCount === undefined ? '' : `#${collisionCount}`;
  return safeEncode(String(fnv1a(canonical(withoutHash(template)) + salt)));
}

/** Whether two templates make the same pods (deploymentutil.EqualIgnoreHash). */
export function sameTemplate(left: PodTemplateSpec, right: PodTemplateSpec): boolean {
  return canonical(withoutHash(left)) === canonical(withoutHash(right));
}

function withoutHash(template: PodTemplateSpec): PodTemplateSpec {
  const { labels, annotations, ...metadata } = template.metadata;
  const { [POD_TEMPLATE_HASH]: _, ...others } = labels ?? {};
  // No labels and an empty map of labels are the same to Kubernetes (apiequality.Semantic).
  return { ...template, metadata: { ...metadata, ...filled('labels', others), ...filled('annotations', annotations) } };
}

function filled(field: string, map: Readonly<Record<string, string>> | undefined): object {
  return map === undefined || Object.keys(map).length === 0 ? {} : { [field]: map };
}

/** JSON with sorted keys, without fields that are undefined. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, field: unknown) =>
    typeof field === 'object' && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort(([left], [right]) => (left < right ? -1 : 1)))
      : field,
  );
}

/** FNV-1a, 32 bits (draft-eastlake-fnv): the family that Kubernetes uses, over UTF-16 code units. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
