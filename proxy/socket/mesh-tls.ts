import { createSecureContext, type DetailedPeerCertificate, type SecureContext, type TLSSocket } from 'node:tls';
import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';

/**
 * Judges a peer's chain: DER, leaf first. The engine asks it for every new connection, resumed or not; `ok: false` has the
 * reason for the log.
 */
export type VerifyPeer = (
  chain: readonly Buffer[],
  trustBundlePem: string,
  nowMs: number,
) => { readonly ok: true; readonly spiffeId: string } | { readonly ok: false; readonly reason: string };

export type PeerVerdict =
  | { readonly ok: true; readonly spiffeId: string }
  | { readonly ok: false; readonly refusal: 'no-certificate' | 'untrusted' | 'no-identity'; readonly message: string };

interface Current {
  readonly identity: MeshIdentity;
  readonly context: SecureContext;
}

/** Our identity in the mesh as TLS needs it: one context per generation, for both sides. */
export class MeshTls {
  readonly #verifyPeer: VerifyPeer;
  readonly #wallClock: () => number;
  #current: Current | undefined = undefined;

  constructor(verifyPeer: VerifyPeer, wallClock: () => number) {
    this.#verifyPeer = verifyPeer;
    this.#wallClock = wallClock;
  }

  /** Throws when key and certificate do not go together; then the identity before stays. */
  set(identity: MeshIdentity): void {
    const context = createSecureContext({
      cert: identity.certificateChainPem,
      key: identity.privateKeyPem,
      ca: identity.trustBundlePem,
      minVersion: 'TLSv1.3',
    });
    this.#current = { identity, context };
  }

  get identity(): MeshIdentity | undefined {
    return this.#current?.identity;
  }

  get context(): SecureContext | undefined {
    return this.#current?.context;
  }

  /** 0 before there is an identity. */
  get generation(): number {
    return this.#current?.identity.generation ?? 0;
  }

  get spiffeId(): string {
    return this.#current?.identity.spiffeId ?? '';
  }

  verify(socket: TLSSocket): PeerVerdict {
    const bundle = this.#current?.identity.trustBundlePem;
    if (bundle === undefined) return { ok: false, refusal: 'no-identity', message: 'this proxy has no identity yet' };
    const chain = peerChain(socket);
    if (chain.length === 0) return { ok: false, refusal: 'no-certificate', message: 'the peer showed no certificate' };
    const verdict = this.#verifyPeer(chain, bundle, this.#wallClock());
    return verdict.ok ? verdict : { ok: false, refusal: 'untrusted', message: verdict.reason };
  }
}

/** What the peer sent, leaf first. Node links each certificate to its issuer, and a root to itself. */
function peerChain(socket: TLSSocket): Buffer[] {
  const chain: Buffer[] = [];
  let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (certificate?.raw !== undefined && chain.length < 10) {
    chain.push(certificate.raw);
    const issuer: DetailedPeerCertificate = certificate.issuerCertificate;
    certificate = issuer === certificate ? undefined : issuer;
  }
  return chain;
}
