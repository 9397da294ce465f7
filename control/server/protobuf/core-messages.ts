import {
  bytesMap,
  flag,
  intOrText,
  type Message,
  message,
  messages,
  number,
  optionalFlag,
  optionalNumber,
  text,
  textMap,
  texts,
} from './message.ts';
import { objectMeta } from './meta-messages.ts';

/* k8s.io/api/core/v1, without what is in pods. */

export const namespace: Message = {
  1: message('metadata', objectMeta),
  2: message('spec', { 1: texts('finalizers') }),
  3: message('status', { 1: text('phase') }),
};

export const configMap: Message = {
  1: message('metadata', objectMeta),
  2: textMap('data'),
  3: bytesMap('binaryData'),
  4: optionalFlag('immutable'),
};

export const secret: Message = {
  1: message('metadata', objectMeta),
  2: bytesMap('data'),
  3: text('type'),
  4: textMap('stringData'),
  5: optionalFlag('immutable'),
};

const objectReference: Message = {
  1: text('kind'),
  2: text('namespace'),
  3: text('name'),
  4: text('uid'),
  5: text('apiVersion'),
  6: text('resourceVersion'),
  7: text('fieldPath'),
};

export const serviceAccount: Message = {
  1: message('metadata', objectMeta),
  2: messages('secrets', objectReference),
  3: messages('imagePullSecrets', { 1: text('name') }),
  4: optionalFlag('automountServiceAccountToken'),
};

const servicePort: Message = {
  1: text('name'),
  2: text('protocol'),
  3: number('port'),
  4: intOrText('targetPort'),
  5: number('nodePort'),
  6: text('appProtocol'),
};

const serviceSpec: Message = {
  1: messages('ports', servicePort),
  2: textMap('selector'),
  3: text('clusterIP'),
  4: text('type'),
  5: texts('externalIPs'),
  7: text('sessionAffinity'),
  8: text('loadBalancerIP'),
  9: texts('loadBalancerSourceRanges'),
  10: text('externalName'),
  11: text('externalTrafficPolicy'),
  12: number('healthCheckNodePort'),
  13: flag('publishNotReadyAddresses'),
  14: message('sessionAffinityConfig', { 1: message('clientIP', { 1: optionalNumber('timeoutSeconds') }) }),
  17: text('ipFamilyPolicy'),
  18: texts('clusterIPs'),
  19: texts('ipFamilies'),
  20: optionalFlag('allocateLoadBalancerNodePorts'),
  21: text('loadBalancerClass'),
  22: text('internalTrafficPolicy'),
  23: text('trafficDistribution'),
};

export const service: Message = {
  1: message('metadata', objectMeta),
  2: message('spec', serviceSpec),
  3: message('status', { 1: message('loadBalancer', {}) }),
};
