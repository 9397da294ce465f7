import type { Kind, KubeObject } from '../../../api/kinds/kind.ts';
import { matchesRequirements } from '../../../api/meta/label-selector.ts';
import { parseLabelSelector } from '../../../api/meta/parse-label-selector.ts';
import { fieldMatcher, parseFieldSelector } from './field-selector.ts';

/** Which objects of a kind a list, watch or deletecollection is about. */
export interface SelectionRequest {
  /** All namespaces when missing. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export interface Selection<T> {
  /** Nothing but the namespace selects. */
  readonly everything: boolean;
  readonly matches: (object: T) => boolean;
}

/** Throws ApiError 400 for selectors that cannot be read. */
export function selectionOf<T extends KubeObject>(kind: Kind<T>, request: SelectionRequest): Selection<T> {
  const labels = parseLabelSelector(request.labelSelector ?? '');
  const fields = parseFieldSelector(request.fieldSelector ?? '');
  const meetsFields = fieldMatcher(kind, fields);
  return {
    everything: labels.length === 0 && fields.length === 0,
    matches: (object) => matchesRequirements(labels, object.metadata.labels) && meetsFields(object),
  };
}
