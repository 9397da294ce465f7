import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { keyIdOf, signCertificate } from '../x509/certificate.ts';
import { decode } from '../x509/der.ts';
import { altNames, authorityConstraints, authorityKeyId, keyUsage, subjectKeyId } from '../x509/extensions.ts';
import { distinguishedName } from '../x509/name.ts';

const TEN_YEARS_MS = 3650 * 86_400_000;

/** How far certificates are valid into the past, for clocks that differ. */
export const SKEW_MS = 60_000;

export function createRootKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/**
 * A self-signed root for a trust domain, itself named by the domain's SPIFFE id (X509-SVID.md, section 3.2). It signs leaves
 * only: path length 0.
 */
export function createRootCertificate(key: KeyObject, trustDomain: string, nowMs: number): Buffer {
  const publicKey = decode(createPublicKey(key).export({ type: 'spki', format: 'der' }));
  const name = distinguishedName({ commonName: `Tutti root of ${trustDomain}` });
  const keyId = keyIdOf(publicKey);
  const draft = {
    issuer: name,
    subject: name,
    notBeforeMs: nowMs - SKEW_MS,
    notAfterMs: nowMs + TEN_YEARS_MS,
    publicKey,
    extensions: [
      authorityConstraints(0),
      keyUsage('keyCertSign', 'cRLSign'),
      altNames({ uris: [`spiffe://${trustDomain}`] }, 'plain'),
      subjectKeyId(keyId),
      authorityKeyId(keyId),
    ],
  };
  return signCertificate(draft, key);
}
