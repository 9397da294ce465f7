import type { PeerCertificate } from 'node:tls';

/**
 * For `checkServerIdentity` of node:tls: the server must be the control plane. Its chain has been verified against the trust bundle by
 * then; its address is in no SVID.
 */
export function controlIdentityCheck(address: string, controlSpiffeId: string) {
  return (_host: string, { subjectaltname = '' }: Pick<PeerCertificate, 'subjectaltname'>): Error | undefined => {
    const uris = subjectaltname.split(', ').filter((name) => name.startsWith('URI:'));
    if (uris.length === 1 && uris[0] === `URI:${controlSpiffeId}`) return undefined;
    return new Error(
      `control plane "${address}": its identity is ${uris.join(', ') || 'none'}, wanted ${controlSpiffeId}`,
    );
  };
}
