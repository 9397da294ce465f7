import { type ConfigMap, configMapKind } from '../kinds/config-map.ts';
import { TRUST_BUNDLE } from '../trust/trust-bundle.ts';
import { Informer, type InformerOptions } from './informer.ts';

/** Follows the ConfigMap that has the CA's roots and the stage of their rotation. `see` is called with each version of it. */
export function trustInformer(
  { client, clock, random, log }: Pick<InformerOptions<ConfigMap>, 'client' | 'clock' | 'random' | 'log'>,
  see: (map: ConfigMap) => void,
): Informer<ConfigMap> {
  return new Informer<ConfigMap>(
    {
      client,
      kind: configMapKind,
      namespace: TRUST_BUNDLE.namespace,
      fieldSelector: `metadata.name=${TRUST_BUNDLE.name}`,
      clock,
      random,
      log,
    },
    { onAdd: see, onUpdate: see },
  );
}
