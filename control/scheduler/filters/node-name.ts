import type { Filter } from '../candidate.ts';

/** A pod that names its node runs there or nowhere (plugins/nodename). */
export const nodeName: Filter = {
  name: 'NodeName',
  check: ({ pod }, { node }) =>
    !pod.spec.nodeName || pod.spec.nodeName === node.metadata.name
      ? []
      : ["node(s) didn't match the requested node name"],
};
