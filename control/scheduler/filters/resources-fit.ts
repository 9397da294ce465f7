import type { Filter } from '../candidate.ts';

/** --max-pods of the kubelet, for a node that does not tell. */
const DEFAULT_MAX_PODS = 110;

/** What the pod asks for must be free (plugins/noderesources/fit.go): every resource that is short is named. */
export const resourcesFit: Filter = {
  name: 'NodeResourcesFit',
  check: ({ requests }, { allocatable, requested, podCount }) => {
    const short: string[] = [];
    if (podCount + 1 > (allocatable.get('pods') ?? DEFAULT_MAX_PODS)) short.push('Too many pods');
    for (const [name, wanted] of requests) {
      const free = (allocatable.get(name) ?? 0) - (requested.get(name) ?? 0);
      if (wanted > 0 && wanted > free) short.push(`Insufficient ${name}`);
    }
    return short;
  },
};
