import { experimental, type ServerCredentials } from '@grpc/grpc-js';
import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';

type CertificateProvider = experimental.CertificateProvider;
type CaListener = Parameters<CertificateProvider['addCaCertificateListener']>[0];
type IdentityListener = Parameters<CertificateProvider['addIdentityCertificateListener']>[0];

/** Who this process is, now and when that changes. IdentitySource (certs/workload/) is one. */
export interface IdentityFeed {
  current(): MeshIdentity;
  /** Returns what ends the subscription. */
  onChange(listener: (identity: MeshIdentity) => void): () => void;
}

/**
 * mTLS for the server: handshakes show the newest identity and take clients that its trust bundle verifies. Connections
 * that stand keep what they were made with, so a rotation cuts none.
 */
export function rotatingServerCredentials(identity: IdentityFeed): ServerCredentials {
  const provider = new FeedProvider(identity);
  return experimental.createCertificateProviderServerCredentials(provider, provider, true);
}

/** Tells of what is there in a moment, not at once: grpc-js adds itself to its own watchers after it has asked. */
class FeedProvider implements CertificateProvider {
  readonly #identity: IdentityFeed;
  readonly #caListeners = new Map<CaListener, () => void>();
  readonly #identityListeners = new Map<IdentityListener, () => void>();

  constructor(identity: IdentityFeed) {
    this.#identity = identity;
  }

  addCaCertificateListener(listener: CaListener): void {
    const tell = ({ trustBundlePem }: MeshIdentity): void => listener({ caCertificate: Buffer.from(trustBundlePem) });
    queueMicrotask(() => tell(this.#identity.current()));
    this.#caListeners.set(listener, this.#identity.onChange(tell));
  }

  removeCaCertificateListener(listener: CaListener): void {
    this.#caListeners.get(listener)?.();
    this.#caListeners.delete(listener);
  }

  addIdentityCertificateListener(listener: IdentityListener): void {
    const tell = ({ certificateChainPem, privateKeyPem }: MeshIdentity): void =>
      listener({ certificate: Buffer.from(certificateChainPem), privateKey: Buffer.from(privateKeyPem) });
    queueMicrotask(() => tell(this.#identity.current()));
    this.#identityListeners.set(listener, this.#identity.onChange(tell));
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.get(listener)?.();
    this.#identityListeners.delete(listener);
  }
}
