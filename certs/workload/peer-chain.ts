import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';

/** Longer chains are cut: verification refuses them anyway. */
const MAX_LINKS = 10;

/**
 * What the peer of a TLS connection has shown, in DER, leaf first; empty when it showed nothing. Node links each certificate to its
 * issuer, which it may take from our own bundle, and a root to itself.
 */
export function peerChain(socket: TLSSocket): Buffer[] {
  const chain: Buffer[] = [];
  let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (certificate?.raw !== undefined && chain.length < MAX_LINKS) {
    chain.push(certificate.raw);
    const issuer: DetailedPeerCertificate = certificate.issuerCertificate;
    certificate = issuer === certificate ? undefined : issuer;
  }
  return chain;
}
