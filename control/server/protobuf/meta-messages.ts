import {
  flag,
  type Message,
  message,
  messages,
  number,
  optionalFlag,
  optionalNumber,
  text,
  textMap,
  texts,
  time,
} from './message.ts';

/* k8s.io/apimachinery/pkg/apis/meta/v1. Numbers are those of the types' protobuf tags. */

const ownerReference: Message = {
  1: text('kind'),
  3: text('name'),
  4: text('uid'),
  5: text('apiVersion'),
  6: optionalFlag('controller'),
  7: optionalFlag('blockOwnerDeletion'),
};

export const objectMeta: Message = {
  1: text('name'),
  2: text('generateName'),
  3: text('namespace'),
  4: text('selfLink'),
  5: text('uid'),
  6: text('resourceVersion'),
  7: number('generation'),
  8: time('creationTimestamp'),
  9: time('deletionTimestamp'),
  10: optionalNumber('deletionGracePeriodSeconds'),
  11: textMap('labels'),
  12: textMap('annotations'),
  13: messages('ownerReferences', ownerReference),
  14: texts('finalizers'),
};

const labelSelectorRequirement: Message = { 1: text('key'), 2: text('operator'), 3: texts('values') };

export const labelSelector: Message = {
  1: textMap('matchLabels'),
  2: messages('matchExpressions', labelSelectorRequirement),
};

const preconditions: Message = { 1: text('uid'), 2: text('resourceVersion') };

export const deleteOptions: Message = {
  1: optionalNumber('gracePeriodSeconds'),
  2: message('preconditions', preconditions),
  3: optionalFlag('orphanDependents'),
  4: text('propagationPolicy'),
  5: texts('dryRun'),
  6: flag('ignoreStoreReadErrorWithClusterBreakingPotential'),
};
