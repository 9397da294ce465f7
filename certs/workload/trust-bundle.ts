import { type KeyObject, X509Certificate } from 'node:crypto';
import { type CertificateFacts, readCertificate } from '../x509/certificate.ts';
import { DerError } from '../x509/der.ts';
import { fromPem } from '../x509/pem.ts';
import { parseSpiffeId } from './spiffe-id.ts';

/** Most roots in a bundle: a few trust domains, each with a root that comes and one that goes. */
const MAX_ANCHORS = 64;

/** A certificate with what is asked of it more than once. */
export interface ReadCertificate {
  readonly certificate: X509Certificate;
  readonly facts: CertificateFacts;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** A root. Its SPIFFE id names the trust domain for which it speaks, and it speaks for no other. */
export interface TrustAnchor extends ReadCertificate {
  readonly trustDomain: string;
  readonly publicKey: KeyObject;
}

export interface TrustBundle {
  readonly anchors: readonly TrustAnchor[];
}

/** Throws DerError or node:crypto's error when it is not a version 3 certificate. */
export function readOne(der: Uint8Array | X509Certificate): ReadCertificate {
  const certificate = der instanceof X509Certificate ? der : new X509Certificate(der);
  // OpenSSL passes over bytes behind the certificate.
  if (certificate !== der && !certificate.raw.equals(der as Uint8Array)) {
    throw new DerError('certificate: has bytes behind it, or is not in DER');
  }
  return {
    certificate,
    facts: readCertificate(certificate.raw),
    notBeforeMs: certificate.validFromDate.getTime(),
    notAfterMs: certificate.validToDate.getTime(),
  };
}

/** Reads a bundle of CA certificates in PEM. Throws when there is none, or one is not a root of a trust domain. */
export function readTrustBundle(pem: string): TrustBundle {
  const blocks = fromPem('CERTIFICATE', pem);
  if (blocks.length === 0 || blocks.length > MAX_ANCHORS) {
    throw new Error(`trust bundle: has ${blocks.length} certificates, 1 to ${MAX_ANCHORS} are wanted`);
  }
  return { anchors: blocks.map(readAnchor) };
}

function readAnchor(der: Buffer): TrustAnchor {
  const read = readOne(der);
  const { extensions } = read.facts;
  const id = extensions.uris.length === 1 ? parseSpiffeId(extensions.uris[0] as string) : undefined;
  if (id === undefined || id.path !== '' || extensions.isAuthority !== true) {
    throw new Error(
      `trust bundle: certificate of "${read.certificate.subject}": is no CA named by the SPIFFE id of one trust domain`,
    );
  }
  return { ...read, trustDomain: id.trustDomain, publicKey: read.certificate.publicKey };
}
