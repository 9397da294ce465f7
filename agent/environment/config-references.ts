import type { Pod } from '../../api/kinds/pod.ts';

/** Names of the ConfigMaps and Secrets that a pod names anywhere. */
export interface ConfigReferences {
  readonly configMaps: readonly string[];
  readonly secrets: readonly string[];
}

export function configReferences({ spec }: Pod): ConfigReferences {
  const configMaps = new Set<string | undefined>();
  const secrets = new Set<string | undefined>();
  for (const { env = [], envFrom = [] } of [...spec.containers, ...(spec.initContainers ?? [])]) {
    for (const { configMapRef, secretRef } of envFrom) {
      configMaps.add(configMapRef?.name);
      secrets.add(secretRef?.name);
    }
    for (const { valueFrom } of env) {
      configMaps.add(valueFrom?.configMapKeyRef?.name);
      secrets.add(valueFrom?.secretKeyRef?.name);
    }
  }
  for (const { configMap, secret, projected } of spec.volumes ?? []) {
    configMaps.add(configMap?.name);
    secrets.add(secret?.secretName);
    for (const source of projected?.sources ?? []) {
      configMaps.add(source.configMap?.name);
      secrets.add(source.secret?.name);
    }
  }
  return { configMaps: named(configMaps), secrets: named(secrets) };
}

function named(names: ReadonlySet<string | undefined>): readonly string[] {
  return [...names].filter((name) => name !== undefined && name !== '') as string[];
}
