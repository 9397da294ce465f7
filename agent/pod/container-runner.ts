import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Container } from '../../api/kinds/container.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import { parseQuantity } from '../../api/meta/quantity.ts';
import { makeFolder } from '../../kit/make-folder.ts';
import { ConfigError } from '../environment/config-error.ts';
import { type ConfigObjects, containerEnvironment, expandAll } from '../environment/container-environment.ts';
import { portVariables, proxyVariables, workloadApiVariables } from '../environment/platform-variables.ts';
import { apiServerVariables, serviceVariables } from '../environment/service-variables.ts';
import { grpcVariables, wantsGrpc } from '../grpc/grpc-bootstrap.ts';
import type { ContainerConfig, ContainerKey, ContainerResources, StartResult } from '../runtime/runtime.ts';
import { wantsSidecar } from '../sidecar/sidecar.ts';
import { mountsOf } from '../volumes/pod-volumes.ts';
import type { AgentContext } from './agent-context.ts';
import type { PodPlacement } from './pod-record.ts';

export interface RunnerInput {
  readonly context: AgentContext;
  readonly pod: Pod;
  readonly placement: PodPlacement;
  readonly folder: string;
  readonly objects: ConfigObjects;
}

/** Why a container did not start, in the kubelet's words. */
export interface StartRefusal {
  readonly reason: string;
  readonly message: string;
}

export type RunResult =
  | { readonly ok: true; readonly pulled: string; readonly notices: readonly string[] }
  | { readonly ok: false; readonly refusal: StartRefusal };

/** Takes a container from its spec to a running process: image, configuration, volumes, start. */
export async function runContainer(
  input: RunnerInput,
  container: Container,
  attempt: number,
  labels: Readonly<Record<string, string>>,
): Promise<RunResult> {
  const { runtime } = input.context;
  const image = container.image ?? '';
  const hasCommand = (container.command ?? []).length > 0;
  const pulled = await runtime.pull(image, { hasCommand });
  if (!pulled.ok) return { ok: false, refusal: pulled };
  const key: ContainerKey = { podUid: input.pod.metadata.uid, container: container.name, attempt };
  let config: ContainerConfig;
  try {
    config = { ...(await configOf(input, container, key)), labels };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { ok: false, refusal: { reason: 'CreateContainerConfigError', message: error.message } };
  }
  // A run that was made and not started, by this agent or one before it, stands in the way.
  await runtime.remove(key);
  const created = await runtime.create(config);
  if (!created.ok) return { ok: false, refusal: created };
  const started: StartResult = await runtime.start(key);
  if (started.ok) {
    const notices = [...created.notices, ...started.notices, ...mediumNotices(input.pod, container)];
    return { ok: true, pulled: pulled.message, notices };
  }
  await runtime.remove(key);
  return { ok: false, refusal: started };
}

/** The file that a container may write its last words to, one for each run. */
export function terminationFile(podFolder: string, { container, attempt }: ContainerKey): string {
  return join(podFolder, 'termination', container, String(attempt));
}

async function configOf(input: RunnerInput, container: Container, key: ContainerKey): Promise<ContainerConfig> {
  const { pod, placement, folder, context } = input;
  const env = containerEnvironment({
    pod,
    container,
    place: { nodeName: context.nodeName, hostAddress: context.nodeAddress, podAddress: placement.address },
    objects: input.objects,
    appPorts: placement.appPorts,
    allocatable: context.allocatable,
    platform: platformVariables(input, container),
  });
  const last = terminationFile(folder, key);
  makeFolder(dirname(last));
  await rm(last, { force: true });
  await writeFile(last, '', { mode: 0o666 });
  const user = userOf(pod, container);
  return {
    key,
    namespace: pod.metadata.namespace ?? '',
    podName: pod.metadata.name,
    image: container.image ?? '',
    command: expandAll(container.command, env),
    args: expandAll(container.args, env),
    env,
    ...(container.workingDir === undefined ? {} : { workingDir: container.workingDir }),
    ...(user === undefined ? {} : { user }),
    mounts: [
      ...(await mountsOf(folder, pod, container, env)),
      { mountPath: container.terminationMessagePath, sourcePath: last, isImplied: true },
    ],
    resources: resourcesOf(container),
  };
}

function platformVariables(input: RunnerInput, container: Container): Record<string, string> {
  const { context, pod, placement, folder } = input;
  const hasSidecar = wantsSidecar(pod);
  const reach = { podAddress: placement.address, hasSidecar };
  const services = pod.spec.enableServiceLinks === false ? [] : context.services(pod.metadata.namespace ?? '');
  return {
    ...serviceVariables(services, reach),
    ...apiServerVariables(context.proxy.api.server),
    ...(hasSidecar ? proxyVariables(placement.address, wantsGrpc(pod) ? 'for-grpc' : 'for-all') : {}),
    ...portVariables(container, placement.appPorts),
    ...workloadApiVariables(context.proxy.workloadApi),
    ...grpcVariables(pod, folder),
    HOSTNAME: pod.spec.hostname ?? pod.metadata.name,
  };
}

/** A file system in memory takes a mount, which host processes have none of. */
function mediumNotices({ spec }: Pod, { volumeMounts = [] }: Container): readonly string[] {
  const inMemory = (spec.volumes ?? []).filter(({ emptyDir }) => emptyDir?.medium === 'Memory');
  return inMemory
    .filter(({ name }) => volumeMounts.some((mount) => mount.name === name))
    .map(({ name }) => `volume "${name}": host processes get no medium Memory: it is on disk`);
}

function resourcesOf({ resources: { requests, limits } }: Container): ContainerResources {
  const cpuRequestMillis = amount(requests?.['cpu'] ?? limits?.['cpu'], 1_000_000n);
  const cpuLimitMillis = amount(limits?.['cpu'], 1_000_000n);
  const memoryLimitBytes = amount(limits?.['memory'], 1_000_000_000n);
  return {
    ...(cpuRequestMillis === undefined ? {} : { cpuRequestMillis }),
    ...(cpuLimitMillis === undefined ? {} : { cpuLimitMillis }),
    ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }),
  };
}

/** A quantity in a unit of so many billionths; undefined when there is none. */
function amount(quantity: string | undefined, unitNanos: bigint): number | undefined {
  const nanos = quantity === undefined ? undefined : parseQuantity(quantity)?.nanos;
  return nanos === undefined ? undefined : Number((nanos + unitNanos - 1n) / unitNanos);
}

function userOf(pod: Pod, container: Container): { uid?: number; gid?: number } | undefined {
  const uid = container.securityContext?.runAsUser ?? pod.spec.securityContext.runAsUser;
  const gid = container.securityContext?.runAsGroup ?? pod.spec.securityContext.runAsGroup;
  if (uid === undefined) return undefined;
  return { uid, ...(gid === undefined ? {} : { gid }) };
}
