import type { PeerCertificate } from 'node:tls';
import { parseSpiffeId } from '../../certs/workload/spiffe-id.ts';

/**
 * The SPIFFE id of a verified client certificate; undefined unless it carries exactly one URI and that is one (X509-SVID,
 * section 2). Node writes names with unusual characters in quotes, which no SPIFFE id has.
 */
export function spiffeIdOfPeer(certificate: PeerCertificate | undefined): string | undefined {
  const names = (certificate?.subjectaltname ?? '').split(', ');
  const uris = names.filter((name) => name.startsWith('URI:')).map((name) => name.slice(4));
  const [id] = uris;
  return uris.length === 1 && id !== undefined && parseSpiffeId(id) !== undefined ? id : undefined;
}
