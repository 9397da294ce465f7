import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { MeshIdentity } from './mesh-identity.ts';
import { readTrustBundle } from './trust-bundle.ts';
import { verifyPeer } from './verify-peer.ts';

/** An SVID with its key, as somebody gave it to us. */
export interface OfferedSvid {
  readonly certificateChainPem: string;
  readonly privateKeyPem: string;
  readonly trustBundlePem: string;
}

interface Expected {
  readonly spiffeId: string;
  readonly nowMs: number;
  readonly generation: number;
}

/** Checks what was given as a peer would check it, so that a wrong one never replaces a right one. Throws when it is wrong. */
export function acceptSvid(offered: OfferedSvid, { spiffeId, nowMs, generation }: Expected): MeshIdentity {
  const { certificateChainPem, privateKeyPem, trustBundlePem } = offered;
  const verdict = verifyPeer(certificateChainPem, readTrustBundle(trustBundlePem), nowMs);
  if (!verdict.ok) throw new Error(`obtained certificate: ${verdict.detail} (${verdict.reason})`);
  if (verdict.spiffeId !== spiffeId) {
    throw new Error(`obtained certificate: is for "${verdict.spiffeId}", "${spiffeId}" is wanted`);
  }
  if (!new X509Certificate(certificateChainPem).checkPrivateKey(createPrivateKey(privateKeyPem))) {
    throw new Error('obtained certificate: is for another key than the one asked for');
  }
  const { notBeforeMs, notAfterMs } = verdict;
  return { generation, spiffeId, certificateChainPem, privateKeyPem, trustBundlePem, notBeforeMs, notAfterMs };
}
