import {
  flag,
  type Message,
  message,
  messages,
  number,
  optionalFlag,
  optionalNumber,
  quantityMap,
  text,
  textMap,
  texts,
} from './message.ts';
import { objectMeta } from './meta-messages.ts';

/*
 * Of pods, what kubectl's typed commands make: names, images, commands, plain environment, ports and resources. Probes,
 * volumes and the rest come as JSON, as kubectl sends every manifest.
 */

const containerPort: Message = {
  1: text('name'),
  2: number('hostPort'),
  3: number('containerPort'),
  4: text('protocol'),
  5: text('hostIP'),
};

const container: Message = {
  1: text('name'),
  2: text('image'),
  3: texts('command'),
  4: texts('args'),
  5: text('workingDir'),
  6: messages('ports', containerPort),
  7: messages('env', { 1: text('name'), 2: text('value') }),
  8: message('resources', { 1: quantityMap('limits'), 2: quantityMap('requests') }),
  13: text('terminationMessagePath'),
  14: text('imagePullPolicy'),
  16: flag('stdin'),
  17: flag('stdinOnce'),
  18: flag('tty'),
  20: text('terminationMessagePolicy'),
};

const podSpec: Message = {
  2: messages('containers', container),
  3: text('restartPolicy'),
  4: optionalNumber('terminationGracePeriodSeconds'),
  5: optionalNumber('activeDeadlineSeconds'),
  6: text('dnsPolicy'),
  7: textMap('nodeSelector'),
  8: text('serviceAccountName'),
  9: text('serviceAccount'),
  10: text('nodeName'),
  11: flag('hostNetwork'),
  12: flag('hostPID'),
  13: flag('hostIPC'),
  14: message('securityContext', {}),
  15: messages('imagePullSecrets', { 1: text('name') }),
  16: text('hostname'),
  17: text('subdomain'),
  19: text('schedulerName'),
  20: messages('initContainers', container),
  21: optionalFlag('automountServiceAccountToken'),
  24: text('priorityClassName'),
  25: optionalNumber('priority'),
  27: optionalFlag('shareProcessNamespace'),
  29: text('runtimeClassName'),
  30: optionalFlag('enableServiceLinks'),
};

export const podTemplate: Message = { 1: message('metadata', objectMeta), 2: message('spec', podSpec) };
