import { hash } from 'node:crypto';
import type { PeerVerdict } from './peer-problem.ts';
import { readTrustBundle, type TrustBundle } from './trust-bundle.ts';
import { verifyPeer } from './verify-peer.ts';

/** Peers whose verdict is remembered. */
const MAX_REMEMBERED = 4096;

interface Known {
  readonly pem: string;
  readonly bundle: TrustBundle;
  readonly accepted: Map<string, PeerVerdict & { readonly ok: true }>;
}

/**
 * {@link verifyPeer} for a process that sees the same peers again and again. What it has accepted under the present bundle it
 * accepts again by the leaf's SHA-256 for as long as the whole chain is valid; another bundle begins anew.
 */
export class PeerVerifier {
  #known: Known | undefined;

  /** The chain in DER, leaf first. Throws when the bundle cannot be read: it is our own side's. */
  verify(chain: readonly Uint8Array[], trustBundlePem: string, nowMs: number): PeerVerdict {
    const { bundle, accepted } = this.#under(trustBundlePem);
    const leaf = chain[0];
    if (leaf === undefined) return verifyPeer(chain, bundle, nowMs);
    const key = hash('sha256', leaf, 'base64');
    const before = accepted.get(key);
    if (before !== undefined && before.notBeforeMs <= nowMs && nowMs <= before.notAfterMs) return before;
    const verdict = verifyPeer(chain, bundle, nowMs);
    accepted.delete(key);
    if (verdict.ok) {
      const oldest = accepted.size >= MAX_REMEMBERED ? accepted.keys().next() : undefined;
      if (oldest?.value !== undefined) accepted.delete(oldest.value);
      accepted.set(key, verdict);
    }
    return verdict;
  }

  #under(pem: string): Known {
    if (this.#known?.pem !== pem) this.#known = { pem, bundle: readTrustBundle(pem), accepted: new Map() };
    return this.#known;
  }
}
