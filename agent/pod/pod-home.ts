import { rm } from 'node:fs/promises';
import { type Pod, podKind } from '../../api/kinds/pod.ts';
import { APP_PORTS, MESH_ADDRESS } from '../../api/meta/well-known.ts';
import { configReferences } from '../environment/config-references.ts';
import { wantsGrpc } from '../grpc/grpc-bootstrap.ts';
import { GrpcClient } from '../grpc/grpc-client.ts';
import { podIdentity } from '../identity/identities.ts';
import { renewAfterMs } from '../identity/renewal.ts';
import type { WorkloadIdentity } from '../identity/workload-identity.ts';
import { Sidecar, wantsSidecar } from '../sidecar/sidecar.ts';
import type { ConfigView } from '../volumes/config-cache.ts';
import { folderSize } from '../volumes/folder-size.ts';
import { emptyDirFolder, writeVolumes } from '../volumes/pod-volumes.ts';
import { tokenKey, tokenWishes } from '../volumes/volume-files.ts';
import type { AgentContext } from './agent-context.ts';
import type { RunnerInput } from './container-runner.ts';
import type { VolumeSize } from './doom.ts';
import { type PodPlacement, podFolder, writePodRecord } from './pod-record.ts';

export interface PodHomeOptions {
  readonly context: AgentContext;
  readonly pod: Pod;
  /** What an earlier agent gave the pod. */
  readonly placement?: PodPlacement;
  readonly onSidecarChange: () => void;
  /** A ConfigMap or Secret that the pod names has changed. */
  readonly onConfigChange: () => void;
}

interface HeldToken {
  readonly token: string;
  readonly renewAtMs: number;
}

/** All that a pod has on this node beside its containers: folder, address, ports, sidecar, volumes. */
export class PodHome {
  readonly folder: string;
  readonly identity: WorkloadIdentity;
  readonly #context: AgentContext;
  readonly #onSidecarChange: () => void;
  readonly #view: ConfigView;
  readonly #tokens = new Map<string, HeldToken>();
  #placement: PodPlacement | undefined;
  #sidecar: Sidecar | undefined;
  readonly #grpc: GrpcClient | undefined;

  constructor({ context, pod, placement, onSidecarChange, onConfigChange }: PodHomeOptions) {
    this.#context = context;
    this.#onSidecarChange = onSidecarChange;
    this.#placement = placement;
    this.folder = podFolder(context.podsFolder, pod.metadata.uid);
    this.identity = podIdentity(pod, this.folder, context.proxy);
    const { workloadApi } = context.proxy;
    const { folder: homeFolder, identity } = this;
    this.#grpc = wantsGrpc(pod)
      ? new GrpcClient({ ...context, pod, podFolder: homeFolder, identity, workloadApi })
      : undefined;
    this.#view = context.configs.view(pod.metadata.namespace ?? '', configReferences(pod), onConfigChange);
    if (placement !== undefined) this.#makeSidecar(pod, placement);
  }

  get placement(): PodPlacement | undefined {
    return this.#placement;
  }

  get sidecarState(): 'ready' | 'not-ready' | 'none' {
    if (this.#placement !== undefined && this.#sidecar === undefined) return 'none';
    return this.#sidecar?.state === 'ready' ? 'ready' : 'not-ready';
  }

  get hasSidecar(): boolean {
    return this.#sidecar !== undefined && this.#sidecar.state !== 'stopped';
  }

  get sidecarPid(): number | undefined {
    return this.#sidecar?.pid;
  }

  /** The serial number that the sidecar shows its peers; undefined where there is no sidecar. */
  get usedSerial(): ((signal: AbortSignal) => Promise<string | undefined>) | undefined {
    const sidecar = this.#sidecar;
    return sidecar === undefined || !this.hasSidecar ? undefined : (signal) => sidecar.usedSerial(signal);
  }

  /** Hot restart of the sidecar, with what the pod says now; undefined where there is none. */
  get restartSidecar(): ((pod: Pod, limitMs: number) => Promise<void>) | undefined {
    const sidecar = this.#sidecar;
    return sidecar === undefined ? undefined : (pod, limitMs) => sidecar.restart(pod, limitMs);
  }

  get sidecarLog(): string | undefined {
    return this.#sidecar?.logPath;
  }

  get sidecarRunId(): readonly string[] {
    return this.#sidecar?.runId ?? [];
  }

  /** Takes over what an earlier agent left running. */
  async adopt(): Promise<boolean> {
    return this.#sidecar === undefined ? false : this.#sidecar.adopt();
  }

  /** Gives the pod its place and writes it down, here first. What is there already stays. */
  async place(pod: Pod): Promise<PodPlacement> {
    if (this.#placement !== undefined) return this.#placement;
    const placement = await this.#context.network.place(pod);
    try {
      await writePodRecord(this.#context.podsFolder, { pod, placement });
    } catch (error) {
      this.#context.network.release(placement);
      throw error;
    }
    this.#placement = placement;
    this.#makeSidecar(pod, placement);
    return placement;
  }

  /** Tells the control plane where the pod is, as annotations. */
  async announce(pod: Pod): Promise<void> {
    const { client, nodeAddress } = this.#context;
    const { meshPort, appPorts } = await this.place(pod);
    const annotations: Record<string, string> = {
      [APP_PORTS]: JSON.stringify(appPorts),
      ...(meshPort === undefined ? {} : { [MESH_ADDRESS]: `${nodeAddress}:${meshPort}` }),
    };
    const { name, namespace = '', uid, annotations: present } = pod.metadata;
    if (Object.entries(annotations).every(([key, value]) => present?.[key] === value)) return;
    await client.patch(podKind, { namespace, name }, { metadata: { uid, annotations } }, { type: 'merge' });
  }

  async startSidecar(): Promise<void> {
    await this.#sidecar?.start();
  }

  /** For a pod whose containers call Services by gRPC's own xDS client. */
  async startGrpc(): Promise<void> {
    await this.#grpc?.start();
  }

  /** Makes the volumes, or brings them up to date. Throws ConfigError. Gives when to do it again, if ever. */
  async writeVolumes(pod: Pod): Promise<number | undefined> {
    const { clock, nodeName, nodeAddress, allocatable } = this.#context;
    await this.#view.synced();
    const renewAtMs = await this.#renewTokens(pod);
    const place = { nodeName, hostAddress: nodeAddress, podAddress: this.#placement?.address ?? '' };
    const tokens = new Map([...this.#tokens].map(([key, { token }]) => [key, token]));
    await writeVolumes(this.folder, { pod, place, objects: this.#view.objects, allocatable, tokens }, clock.now());
    return renewAtMs;
  }

  /** What these volumes, which are emptyDirs, hold now. */
  async volumeSizes(names: readonly string[]): Promise<readonly VolumeSize[]> {
    const sizes: VolumeSize[] = [];
    for (const name of names) sizes.push({ name, bytes: await folderSize(emptyDirFolder(this.folder, name)) });
    return sizes;
  }

  /** What starting a container takes. Only for a pod that has its place. */
  async runnerInput(pod: Pod): Promise<RunnerInput> {
    const placement = await this.place(pod);
    await this.#view.synced();
    return { context: this.#context, pod, placement, folder: this.folder, objects: this.#view.objects };
  }

  async drain(limitMs: number): Promise<void> {
    await this.#sidecar?.drain(limitMs);
  }

  async stopSidecar(graceMs: number): Promise<void> {
    await this.#sidecar?.stop(graceMs);
  }

  /** Lets go; what runs goes on. */
  async close(): Promise<void> {
    this.#sidecar?.close();
    await this.#grpc?.close();
    await this.identity.close();
    await this.#view.release();
  }

  /** Takes away everything. Only when nothing runs any more. */
  async remove(): Promise<void> {
    await this.#grpc?.close();
    await this.identity.close();
    await this.#view.release();
    await rm(this.folder, { recursive: true, force: true });
    if (this.#placement !== undefined) this.#context.network.release(this.#placement);
  }

  #makeSidecar(pod: Pod, placement: PodPlacement): void {
    if (!wantsSidecar(pod)) return;
    this.#sidecar = new Sidecar({
      pod,
      podFolder: this.folder,
      podAddress: placement.address,
      identity: this.identity,
      settings: this.#context.proxy,
      onChange: this.#onSidecarChange,
    });
  }

  /** Tokens of projected volumes; gives when the first is to be renewed. */
  async #renewTokens(pod: Pod): Promise<number | undefined> {
    const { clock, random, proxy } = this.#context;
    const { name, namespace = '', uid } = pod.metadata;
    for (const wish of tokenWishes(pod)) {
      const held = this.#tokens.get(tokenKey(wish));
      if (held !== undefined && held.renewAtMs > clock.now()) continue;
      const nowMs = clock.now();
      const serviceAccount = pod.spec.serviceAccountName ?? 'default';
      const boundTo = { kind: 'Pod', name, uid } as const;
      const { token, expiresAtMs } = await proxy.issue({ namespace, serviceAccount, boundTo, ...wish });
      this.#tokens.set(tokenKey(wish), { token, renewAtMs: nowMs + renewAfterMs(nowMs, expiresAtMs, nowMs, random) });
    }
    const times = [...this.#tokens.values()].map(({ renewAtMs }) => renewAtMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }
}
