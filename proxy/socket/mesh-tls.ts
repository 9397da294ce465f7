import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';
import { peerChain } from '../../certs/workload/peer-chain.ts';
import type { PeerProblem } from '../../certs/workload/peer-problem.ts';
import { PeerVerifier } from '../../certs/workload/peer-verifier.ts';

/** Whom a connection leads to. `refusal` is a metric's label. */
export type PeerCheck =
  | { readonly ok: true; readonly spiffeId: string }
  | { readonly ok: false; readonly refusal: PeerProblem | 'no-identity'; readonly message: string };

interface Current {
  readonly identity: MeshIdentity;
  readonly context: SecureContext;
}

/** Our identity in the mesh as TLS needs it: one context per generation, for both sides. */
export class MeshTls {
  readonly #verifier = new PeerVerifier();
  readonly #wallClock: () => number;
  #current: Current | undefined = undefined;

  constructor(wallClock: () => number) {
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

  /** Asked for every new connection on either side, resumed or not (CVE-2026-48934 and its kin). */
  verify(socket: TLSSocket): PeerCheck {
    const bundle = this.#current?.identity.trustBundlePem;
    if (bundle === undefined) return { ok: false, refusal: 'no-identity', message: 'this proxy has no identity yet' };
    const verdict = this.#verifier.verify(peerChain(socket), bundle, this.#wallClock());
    return verdict.ok ? verdict : { ok: false, refusal: verdict.reason, message: verdict.detail };
  }
}
