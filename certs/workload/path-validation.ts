import { SIGNATURE_HASHES } from '../x509/oids.ts';
import { type PeerVerdict, refuse } from './peer-problem.ts';
import type { ReadCertificate, TrustAnchor, TrustBundle } from './trust-bundle.ts';

export type PathVerdict =
  | { readonly ok: true; readonly anchor: TrustAnchor; readonly notBeforeMs: number; readonly notAfterMs: number }
  | (PeerVerdict & { readonly ok: false });

/**
 * Path validation (RFC 5280, section 6.1), from the leaf up to a root of the bundle, through what the peer sent beside
 * its leaf, in any order. Name constraints are not processed, so a chain that has them is refused (section 4.2.1.10).
 */
export function validatePath(
  leaf: ReadCertificate,
  others: readonly ReadCertificate[],
  bundle: TrustBundle,
  nowMs: number,
): PathVerdict {
  const unused = [...others];
  let notBeforeMs = 0;
  let notAfterMs = Number.POSITIVE_INFINITY;
  let current = leaf;
  for (let below = 0; ; below++) {
    const refusal = refuseItself(current, nowMs);
    if (refusal !== undefined) return refusal;
    notBeforeMs = Math.max(notBeforeMs, current.notBeforeMs);
    notAfterMs = Math.min(notAfterMs, current.notAfterMs);
    const anchor = anchorOf(current, bundle);
    if (anchor !== undefined && !('ok' in anchor)) {
      const refusal = refuseItself(anchor, nowMs) ?? refuseIssuer(anchor, below);
      if (refusal !== undefined) return refusal;
      return {
        ok: true,
        anchor,
        notBeforeMs: Math.max(notBeforeMs, anchor.notBeforeMs),
        notAfterMs: Math.min(notAfterMs, anchor.notAfterMs),
      };
    }
    const at = unused.findIndex((candidate) => mayIssue(candidate, current));
    const issuer = unused[at];
    if (issuer === undefined) return anchor ?? untrusted(current);
    const problem = refuseIssuer(issuer, below) ?? refuseSignature(current, issuer);
    if (problem !== undefined) return problem;
    unused.splice(at, 1);
    current = issuer;
  }
}

/** What is wrong with a certificate wherever it stands. */
function refuseItself({ certificate, facts, notBeforeMs, notAfterMs }: ReadCertificate, nowMs: number): Refusal {
  if (nowMs < notBeforeMs)
    return refuse('not-yet-valid', `${describe(certificate)}: is valid from ${certificate.validFrom}`);
  if (nowMs > notAfterMs) return refuse('expired', `${describe(certificate)}: was valid until ${certificate.validTo}`);
  if (!SIGNATURE_HASHES.has(facts.signatureAlgorithm)) {
    return refuse('weak-signature', `${describe(certificate)}: is signed by algorithm ${facts.signatureAlgorithm}`);
  }
  const [unknown] = facts.extensions.unknownCritical;
  if (unknown !== undefined)
    return refuse('unknown-critical-extension', `${describe(certificate)}: has critical extension ${unknown}`);
  if (facts.extensions.hasNameConstraints) {
    return refuse('name-constraints', `${describe(certificate)}: has name constraints, which are not supported`);
  }
  return undefined;
}

type Refusal = (PeerVerdict & { readonly ok: false }) | undefined;

/** What keeps a certificate from issuing, with `below` CA certificates between it and the leaf. */
function refuseIssuer({ certificate, facts }: ReadCertificate, below: number): Refusal {
  const { isAuthority, keyUsage, pathLength, purposes } = facts.extensions;
  if (isAuthority !== true) return refuse('issuer-not-authority', `${describe(certificate)}: issues, but is no CA`);
  if (keyUsage?.has('keyCertSign') !== true)
    return refuse('wrong-key-usage', `${describe(certificate)}: may not sign certificates`);
  if (pathLength !== undefined && below > pathLength) {
    return refuse('path-too-long', `${describe(certificate)}: allows ${pathLength} CAs below it, there are ${below}`);
  }
  // As OpenSSL and Go do: purposes of a CA bound those of what it issues.
  if (purposes !== undefined && !servesBoth(purposes)) {
    return refuse('wrong-extended-key-usage', `${describe(certificate)}: may not issue for both server and client`);
  }
  return undefined;
}

export function servesBoth(purposes: ReadonlySet<string>): boolean {
  return purposes.has('any') || (purposes.has('serverAuth') && purposes.has('clientAuth'));
}

/** The root that signed it; a refusal where one says it did and did not; undefined when none is named. */
function anchorOf(subject: ReadCertificate, bundle: TrustBundle): TrustAnchor | Refusal {
  let refusal: Refusal;
  for (const anchor of bundle.anchors) {
    if (!mayIssue(anchor, subject)) continue;
    refusal = refuseSignature(subject, anchor);
    if (refusal === undefined) return anchor;
  }
  return refusal;
}

/** Whether names and key ids allow that one issued the other. Signatures alone decide. */
function mayIssue(issuer: ReadCertificate, subject: ReadCertificate): boolean {
  if (issuer.certificate.subject !== subject.certificate.issuer) return false;
  const wanted = subject.facts.extensions.authorityKeyId;
  const has = issuer.facts.extensions.subjectKeyId;
  return wanted === undefined || has === undefined || wanted === has;
}

function refuseSignature({ certificate }: ReadCertificate, issuer: ReadCertificate | TrustAnchor): Refusal {
  try {
    const publicKey = 'publicKey' in issuer ? issuer.publicKey : issuer.certificate.publicKey;
    if (certificate.verify(publicKey)) return undefined;
  } catch (error) {
    // The issuer's key is no key, or of a kind that does not fit the signature.
    return refuse('malformed', `${describe(issuer.certificate)}: ${(error as Error).message}`);
  }
  return refuse('bad-signature', `${describe(certificate)}: is not signed by the key of "${certificate.issuer}"`);
}

function untrusted({ certificate }: ReadCertificate): PeerVerdict & { readonly ok: false } {
  return refuse('untrusted', `${describe(certificate)}: issuer "${certificate.issuer}" is not in the trust bundle`);
}

/** A subject, or the alternative names where it is empty; bounded, since the peer wrote it. */
function describe(certificate: ReadCertificate['certificate']): string {
  const name = (certificate.subject ?? '') === '' ? certificate.subjectAltName : certificate.subject;
  return `certificate ${JSON.stringify((name ?? '').slice(0, 200))}`;
}
