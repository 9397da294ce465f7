import type { PeerCertificate } from 'node:tls';
import type { User } from './user.ts';

/** The user that a verified client certificate names: CN is the user, each O a group. Undefined without a CN. */
export function certificateUser(certificate: PeerCertificate): User | undefined {
  // Node gives a list where the subject has the attribute several times, though its types know one only.
  const { CN, O } = certificate.subject as { readonly CN?: string | string[]; readonly O?: string | string[] };
  const [name] = [CN ?? []].flat();
  if (name === undefined || name === '') return undefined;
  return { name, groups: [...[O ?? []].flat(), 'system:authenticated'], extra: {} };
}

/** A connection may outlive the certificate that opened it: its time is looked at on every request. */
export function isWithinValidity({ valid_from, valid_to }: PeerCertificate, nowMs: number): boolean {
  return Date.parse(valid_from) <= nowMs && nowMs < Date.parse(valid_to);
}
