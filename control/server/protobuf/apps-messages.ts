import { flag, intOrText, type Message, message, number, optionalNumber, text } from './message.ts';
import { labelSelector, objectMeta } from './meta-messages.ts';
import { podTemplate } from './pod-messages.ts';

/* k8s.io/api/apps/v1: what `kubectl create deployment` sends. */

const strategy: Message = {
  1: text('type'),
  2: message('rollingUpdate', { 1: intOrText('maxUnavailable'), 2: intOrText('maxSurge') }),
};

const deploymentSpec: Message = {
  1: optionalNumber('replicas'),
  2: message('selector', labelSelector),
  3: message('template', podTemplate),
  4: message('strategy', strategy),
  5: number('minReadySeconds'),
  6: optionalNumber('revisionHistoryLimit'),
  7: flag('paused'),
  9: optionalNumber('progressDeadlineSeconds'),
};

/** The status is the controller's and is not read from clients of this form. */
const deploymentStatus: Message = {
  1: number('observedGeneration'),
  2: number('replicas'),
  3: number('updatedReplicas'),
  4: number('availableReplicas'),
  5: number('unavailableReplicas'),
  7: number('readyReplicas'),
};

export const deployment: Message = {
  1: message('metadata', objectMeta),
  2: message('spec', deploymentSpec),
  3: message('status', deploymentStatus),
};
