import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Pod } from '../../api/kinds/pod.ts';
import { readProxyConcurrency } from '../../api/meta/proxy-concurrency.ts';
import { INJECT, PROXY_CONCURRENCY } from '../../api/meta/well-known.ts';
import type { WorkloadIdentity } from '../identity/workload-identity.ts';
import { identityFields, type ProxyBootstrap } from './bootstrap.ts';
import { ProxyProcess, type ProxyState } from './proxy-process.ts';
import { ADMIN_PORT, type ProxySettings } from './proxy-settings.ts';
import { serviceNameOf, tracingFields } from './tracing.ts';

export interface SidecarOptions {
  readonly pod: Pod;
  readonly podFolder: string;
  readonly podAddress: string;
  readonly identity: WorkloadIdentity;
  readonly settings: ProxySettings;
  readonly onChange: () => void;
}

/** Whether the pod gets a sidecar: all do but those that say no. */
export function wantsSidecar({ metadata }: Pod): boolean {
  return metadata.annotations?.[INJECT] !== 'false';
}

/** Nothing where the pod says nothing, or nothing that can be read: the API server has warned of it. */
function workersField({ metadata }: Pod): { readonly workers?: number } {
  const said = readProxyConcurrency(metadata.annotations?.[PROXY_CONCURRENCY]);
  if (said === undefined || 'problem' in said) return {};
  return { workers: said.workers === 'auto' ? availableParallelism() : said.workers };
}

function bootstrapOf(
  pod: Pod,
  folder: string,
  { podAddress, identity, settings }: Pick<SidecarOptions, 'podAddress' | 'identity' | 'settings'>,
): ProxyBootstrap {
  const { name, namespace = '' } = pod.metadata;
  return {
    mode: 'sidecar',
    nodeId: `sidecar/${namespace}/${name}`,
    namespace,
    name,
    serviceAccount: pod.spec.serviceAccountName ?? 'default',
    trustDomain: settings.trustDomain,
    podAddress,
    ...identityFields(settings, identity),
    xdsAddress: settings.xdsAddress,
    admin: { address: podAddress, port: ADMIN_PORT },
    stateFolder: join(folder, 'state'),
    ...tracingFields(settings, serviceNameOf(pod)),
    ...workersField(pod),
    logLevel: 'info',
  };
}

/** The proxy beside one pod. It takes its identity from the Workload API, as the pod's containers may. */
export class Sidecar {
  readonly #identity: WorkloadIdentity;
  readonly #proxy: ProxyProcess;
  readonly #bootstrapOf: (pod: Pod) => ProxyBootstrap;

  constructor(options: SidecarOptions) {
    const { pod, podFolder, identity, settings, onChange } = options;
    const { command, program, env, clock, random, log } = settings;
    const folder = join(podFolder, 'sidecar');
    this.#identity = identity;
    this.#bootstrapOf = (now) => bootstrapOf(now, folder, options);
    this.#proxy = new ProxyProcess({
      folder,
      id: `${pod.metadata.uid}/sidecar`,
      command,
      program,
      env,
      bootstrap: this.#bootstrapOf(pod),
      clock,
      random,
      log,
      onChange,
    });
  }

  get state(): ProxyState {
    return this.#proxy.state;
  }

  get pid(): number | undefined {
    return this.#proxy.pid;
  }

  usedSerial(signal: AbortSignal): Promise<string | undefined> {
    return this.#proxy.usedSerial(signal);
  }

  get logPath(): string | undefined {
    return this.#proxy.logPath;
  }

  get runId(): readonly string[] {
    return this.#proxy.runId;
  }

  /** Takes over a sidecar that an earlier agent left running. */
  async adopt(): Promise<boolean> {
    return this.#proxy.adopt();
  }

  /** Throws when no token can be had; may be called again. The SVID is asked for while the proxy's process starts. */
  async start(): Promise<void> {
    await this.#identity.start();
    await this.#proxy.start();
  }

  /** Hot restart, with what the pod says now; see ProxyProcess. */
  restart(pod: Pod, limitMs: number): Promise<void> {
    return this.#proxy.restart(limitMs, this.#bootstrapOf(pod));
  }

  async drain(limitMs: number): Promise<void> {
    await this.#proxy.drain(limitMs);
  }

  async stop(graceMs: number): Promise<void> {
    await this.#proxy.stop(graceMs);
  }

  /** Lets go of it; it goes on. */
  close(): void {
    this.#proxy.close();
  }
}
