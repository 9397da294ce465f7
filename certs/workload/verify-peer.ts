import type { X509Certificate } from 'node:crypto';
import type { Extensions } from '../x509/extensions.ts';
import { fromPem } from '../x509/pem.ts';
import { servesBoth, validatePath } from './path-validation.ts';
import { type PeerVerdict, refuse } from './peer-problem.ts';
import { parseSpiffeId, type SpiffeId } from './spiffe-id.ts';
import { type ReadCertificate, readOne, type TrustBundle } from './trust-bundle.ts';

/** Most certificates that a peer may show. */
const MAX_CHAIN = 8;

/** PEM, or one certificate after the other, the leaf first. */
export type PeerChain = string | readonly (Uint8Array | X509Certificate)[];

/**
 * Verifies a peer's X.509-SVID against the bundle, in full (X509-SVID.md, section 5): path, leaf, and that the root which
 * stands at its end speaks for the id's trust domain. Whether that id is welcome is another question: see verifySpiffe.
 */
export function verifyPeer(chain: PeerChain, bundle: TrustBundle, nowMs: number): PeerVerdict {
  const blocks = typeof chain === 'string' ? fromPem('CERTIFICATE', chain) : chain;
  if (blocks.length > MAX_CHAIN) {
    return refuse('chain-too-long', `chain: has ${blocks.length} certificates, at most ${MAX_CHAIN} are taken`);
  }
  const read: ReadCertificate[] = [];
  try {
    for (const block of blocks) read.push(readOne(block));
  } catch (error) {
    return refuse('malformed', `certificate ${read.length + 1} of the chain: ${(error as Error).message}`);
  }
  const [leaf, ...others] = read;
  if (leaf === undefined) return refuse('empty-chain', 'chain: no certificate was shown');
  const identity = identify(leaf.facts.extensions);
  if (!identity.ok) return identity;
  const path = validatePath(leaf, others, bundle, nowMs);
  if (!path.ok) return path;
  const { text, id } = identity;
  if (id.trustDomain !== path.anchor.trustDomain) {
    return refuse('wrong-trust-domain', `identity "${text}": its issuer speaks for "${path.anchor.trustDomain}" only`);
  }
  return { ok: true, spiffeId: text, notBeforeMs: path.notBeforeMs, notAfterMs: path.notAfterMs };
}

/** The verdict, once more narrowed to ids that are expected. */
export function verifySpiffe(verdict: PeerVerdict, allowed: ReadonlySet<string>): PeerVerdict {
  if (!verdict.ok || allowed.has(verdict.spiffeId)) return verdict;
  return refuse('not-allowed', `identity "${verdict.spiffeId}": is not among the ${allowed.size} that are expected`);
}

type Identification =
  | { readonly ok: true; readonly text: string; readonly id: SpiffeId }
  | (PeerVerdict & { readonly ok: false });

/** What a leaf must be and whom it names (X509-SVID.md, sections 4 and 5.2). */
function identify({ isAuthority, keyUsage, purposes, uris }: Extensions): Identification {
  if (isAuthority === true) return refuse('leaf-is-authority', 'leaf: is a CA certificate');
  if (keyUsage?.has('digitalSignature') !== true || keyUsage.has('keyCertSign') || keyUsage.has('cRLSign')) {
    const has = [...(keyUsage ?? [])].join(', ');
    return refuse('wrong-key-usage', `leaf: key usage is "${has}", digitalSignature without signing is wanted`);
  }
  if (purposes !== undefined && !servesBoth(purposes)) {
    return refuse('wrong-extended-key-usage', 'leaf: is not for both server and client');
  }
  const [text, ...others] = uris;
  if (text === undefined) return refuse('no-uri', 'leaf: names no URI');
  if (others.length > 0) return refuse('several-uris', `leaf: names ${uris.length} URIs, one is wanted`);
  const id = parseSpiffeId(text);
  if (id === undefined || id.path === '') {
    return refuse('malformed-id', `leaf: ${JSON.stringify(text.slice(0, 200))} is no SPIFFE id of a workload`);
  }
  return { ok: true, text, id };
}
