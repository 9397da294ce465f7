import { X509Certificate } from 'node:crypto';
import type { ShownCertificate } from '../../api/trust/trust-bundle.ts';
import { timestamp } from '../../kit/clock.ts';
import { readCertificate } from '../x509/certificate.ts';
import { fromPem } from '../x509/pem.ts';

/** The certificates in a PEM text, in order. */
export function certificatesIn(pem: string): readonly X509Certificate[] {
  return fromPem('CERTIFICATE', pem).map((der) => new X509Certificate(der));
}

/** What people and the control plane are told of a certificate in PEM. */
export function shownCertificate(pem: string): ShownCertificate {
  const certificate = new X509Certificate(pem);
  const { uris, authorityKeyId } = readCertificate(certificate.raw).extensions;
  return {
    spiffeId: uris[0] ?? '',
    serial: certificate.serialNumber,
    issuer: authorityKeyId ?? '',
    notAfter: timestamp(certificate.validToDate.getTime()),
  };
}
