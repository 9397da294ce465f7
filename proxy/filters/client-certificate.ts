import { CLIENT_CERT } from '../http1/field-kind.ts';
import type { RequestDraft } from './request-draft.ts';

/**
 * x-forwarded-client-cert, in Envoy's form. Whatever the client wrote there is dropped on every door: only a verified
 * connection speaks of identities, and only of its own (Envoy's SANITIZE_SET).
 */
export function clientCertificate(draft: RequestDraft): void {
  draft.drop |= CLIENT_CERT;
  const { from } = draft;
  if (from.peerId !== '') draft.added += `x-forwarded-client-cert: By=${from.ownId};URI=${from.peerId}\r\n`;
}
