import type { Pod } from '../../api/kinds/pod.ts';
import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';
import type { Clock } from '../../kit/clock.ts';
import { writeFileAtomic } from '../../kit/disk.ts';
import type { Logger } from '../../kit/log.ts';
import type { WorkloadIdentity } from '../identity/workload-identity.ts';
import { withTimeLimit } from '../probes/time-limit.ts';
import { writeAtomicFolder } from '../volumes/atomic-folder.ts';
import { grpcBootstrap, grpcFiles } from './grpc-bootstrap.ts';

export interface GrpcClientOptions {
  readonly pod: Pod;
  readonly podFolder: string;
  readonly identity: WorkloadIdentity;
  /** Where ADS and the Workload API are; missing where they cannot be served. */
  readonly workloadApi: string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

const OBTAIN_WITHIN_MS = 5000;

/** Bootstrap and certificates for a pod's gRPC clients, kept fresh until it is closed. */
export class GrpcClient {
  readonly #options: GrpcClientOptions;
  readonly #closed = new AbortController();
  #stop: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: GrpcClientOptions) {
    this.#options = options;
  }

  /** Resolves when all is there. Throws where it cannot be had; may be called again. */
  async start(): Promise<void> {
    const { pod, podFolder, identity, workloadApi } = this.#options;
    if (workloadApi === undefined) {
      throw new Error(
        'proxyless gRPC takes the Workload API, which takes Linux and Node 26: the agent of this node has neither both',
      );
    }
    const files = grpcFiles(podFolder);
    this.#stop ??= identity.onChange((current) => this.#renewed(current));
    await this.#write(await this.#obtained());
    const text = `${JSON.stringify(grpcBootstrap(pod, workloadApi, files), undefined, 2)}\n`;
    await writeFileAtomic(files.bootstrap, text);
  }

  /** Lets go; what is written stays. */
  async close(): Promise<void> {
    this.#stop?.();
    this.#closed.abort(new Error('the pod is let go'));
    await this.#writing.catch(() => undefined);
  }

  /** Bounded: a pod that is deleted meanwhile must not wait for a certificate that never comes. */
  async #obtained(): Promise<MeshIdentity> {
    const { identity, clock } = this.#options;
    try {
      return await withTimeLimit(clock, OBTAIN_WITHIN_MS, (signal) =>
        identity.obtained(AbortSignal.any([signal, this.#closed.signal])),
      );
    } catch (cause) {
      throw new Error(`no certificate for gRPC: ${(cause as Error).message}`, { cause });
    }
  }

  #renewed(identity: MeshIdentity): void {
    const { log, pod } = this.#options;
    this.#write(identity).catch((error: unknown) => {
      log.error({ error, pod: pod.metadata.name }, "cannot write a pod's certificates for gRPC");
    });
  }

  /** One after the other, the newest last. */
  #write(identity: MeshIdentity): Promise<void> {
    this.#writing = this.#writing.catch(() => undefined).then(() => this.#writeNow(identity));
    return this.#writing;
  }

  async #writeNow({ certificateChainPem, privateKeyPem, trustBundlePem }: MeshIdentity): Promise<void> {
    const { pod, podFolder, clock } = this.#options;
    if (this.#closed.signal.aborted) return;
    const { identityFolder } = grpcFiles(podFolder);
    const file = (path: string, text: string) => ({ path, bytes: Buffer.from(text), mode: 0o644 });
    const key = { ...file('key.pem', privateKeyPem), mode: 0o600, uid: keyOwner(pod) };
    const rest = [file('cert-chain.pem', certificateChainPem), file('root-cert.pem', trustBundlePem)];
    await writeAtomicFolder(identityFolder, [key, ...rest], clock.now());
  }
}

/** The pod's user, where the agent may run it as another than itself. */
function keyOwner({ spec }: Pod): number | undefined {
  const asked = [spec.securityContext.runAsUser, ...spec.containers.map((one) => one.securityContext?.runAsUser)];
  return process.getuid?.() === 0 ? asked.find((uid) => uid !== undefined) : undefined;
}
