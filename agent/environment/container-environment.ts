import type { ConfigMap } from '../../api/kinds/config-map.ts';
import type { Container } from '../../api/kinds/container.ts';
import type { EnvFromSource, EnvVar } from '../../api/kinds/environment.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { Secret } from '../../api/kinds/secret.ts';
import { ConfigError } from './config-error.ts';
import { expand } from './expand.ts';
import { fieldValue, type PodPlace } from './field-value.ts';
import type { AppPorts } from './platform-variables.ts';
import { resourceValue } from './resource-value.ts';

/** ConfigMaps and Secrets of the pod's namespace, as they are now. */
export interface ConfigObjects {
  readonly configMap: (name: string) => ConfigMap | undefined;
  readonly secret: (name: string) => Secret | undefined;
}

export interface EnvironmentInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly place: PodPlace;
  readonly objects: ConfigObjects;
  readonly appPorts: AppPorts;
  readonly allocatable: Readonly<Record<string, string>>;
  /** What the platform gives: Services, ports, proxy. The container's own variables win over them. */
  readonly platform: Readonly<Record<string, string>>;
}

/** Variable names that POSIX environments allow to programs; Kubernetes takes every name without `=` (relaxed since 1.30). */
const NAME = /^[^=]+$/;

/**
 * A container's environment, in the kubelet's order (kubelet_pods.go, makeEnvironmentVariables): envFrom, env, and then what
 * the platform gives under names that are still free. Throws ConfigError for what is not there and not optional.
 *
 * `PORT` and `PORT_<NAME>` that the Pod sets to a port of the container mean that port: they get the process's own.
 */
export function containerEnvironment(input: EnvironmentInput): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const source of input.container.envFrom ?? []) Object.assign(variables, valuesFrom(source, input));
  for (const variable of input.container.env ?? []) {
    const value = valueOf(variable, variables, input);
    if (value !== undefined) variables[variable.name] = value;
  }
  for (const [name, value] of Object.entries(variables)) variables[name] = ownPort(name, value, input);
  return { ...input.platform, ...variables };
}

/** The container's command or args with `$(NAME)` replaced. */
export function expandAll(texts: readonly string[] | undefined, variables: Readonly<Record<string, string>>): string[] {
  return (texts ?? []).map((text) => expand(text, (name) => variables[name]));
}

function valueOf(
  variable: EnvVar,
  before: Readonly<Record<string, string>>,
  input: EnvironmentInput,
): string | undefined {
  const { valueFrom } = variable;
  if (valueFrom === undefined) {
    return expand(variable.value ?? '', (name) => before[name] ?? input.platform[name]);
  }
  if (valueFrom.fieldRef !== undefined) return fieldValue(input.pod, valueFrom.fieldRef.fieldPath, input.place);
  if (valueFrom.resourceFieldRef !== undefined) {
    const { containerName } = valueFrom.resourceFieldRef;
    const all = [...input.pod.spec.containers, ...(input.pod.spec.initContainers ?? [])];
    const container = containerName === undefined ? input.container : all.find(({ name }) => name === containerName);
    if (container === undefined) throw new ConfigError(`container ${containerName} not found`);
    return resourceValue(container, valueFrom.resourceFieldRef, input.allocatable);
  }
  if (valueFrom.configMapKeyRef !== undefined) {
    const { name, key, optional } = valueFrom.configMapKeyRef;
    return keyOf('ConfigMap', { name, key, optional, data: input.objects.configMap(name)?.data }, input);
  }
  if (valueFrom.secretKeyRef !== undefined) {
    const { name, key, optional } = valueFrom.secretKeyRef;
    return keyOf('Secret', { name, key, optional, data: decoded(input.objects.secret(name)) }, input);
  }
  throw new ConfigError(`environment variable ${variable.name}: valueFrom names no source that is supported`);
}

interface KeyLookup {
  readonly name: string;
  readonly key: string;
  readonly optional: boolean | undefined;
  /** Undefined when the object is missing or empty. */
  readonly data: Readonly<Record<string, string>> | undefined;
}

function keyOf(
  kind: 'ConfigMap' | 'Secret',
  { name, key, optional, data }: KeyLookup,
  input: EnvironmentInput,
): string | undefined {
  const value = data?.[key];
  if (value !== undefined || optional === true) return value;
  const exists = (kind === 'ConfigMap' ? input.objects.configMap(name) : input.objects.secret(name)) !== undefined;
  if (!exists) throw new ConfigError(`${kind.toLowerCase()} "${name}" not found`);
  throw new ConfigError(`couldn't find key ${key} in ${kind} ${input.pod.metadata.namespace ?? ''}/${name}`);
}

function valuesFrom(
  { prefix = '', configMapRef, secretRef }: EnvFromSource,
  { objects }: EnvironmentInput,
): Record<string, string> {
  const values: Record<string, string> = {};
  const take = (data: Readonly<Record<string, string>>): void => {
    for (const [key, value] of Object.entries(data)) {
      if (NAME.test(prefix + key)) values[prefix + key] = value;
    }
  };
  if (configMapRef !== undefined) {
    const map = objects.configMap(configMapRef.name);
    if (map === undefined && configMapRef.optional !== true)
      throw new ConfigError(`configmap "${configMapRef.name}" not found`);
    take(map?.data ?? {});
  }
  if (secretRef !== undefined) {
    const secret = objects.secret(secretRef.name);
    if (secret === undefined && secretRef.optional !== true)
      throw new ConfigError(`secret "${secretRef.name}" not found`);
    take(decoded(secret) ?? {});
  }
  return values;
}

function decoded(secret: Secret | undefined): Record<string, string> | undefined {
  if (secret === undefined) return undefined;
  const entries = Object.entries(secret.data ?? {});
  return Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]));
}

/** An ordinary manifest says `PORT: "8080"` and `containerPort: 8080`: host processes share their ports, so it means ours. */
function ownPort(name: string, value: string, { container, appPorts }: EnvironmentInput): string {
  if (name !== 'PORT' && !name.startsWith('PORT_')) return value;
  const isDeclared = (container.ports ?? []).some(({ containerPort }) => String(containerPort) === value);
  return isDeclared ? String(appPorts[value] ?? value) : value;
}
