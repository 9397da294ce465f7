import { FORWARDED_FOR, FORWARDED_HOST, FORWARDED_PROTO } from '../http1/field-kind.ts';
import type { RequestDraft } from './request-draft.ts';

/**
 * X-Forwarded-For, -Proto and -Host. At the edge they are begun anew: what a client outside says of itself is dropped.
 * Inside the mesh the edge's word stands (Envoy's use_remote_address = false), and what is missing is filled in, so that
 * an application always finds them.
 */
export function forwarded(draft: RequestDraft): void {
  const { from, head } = draft;
  const trusted = from.trustForwarded ? head.fields.present : 0;
  if ((trusted & FORWARDED_FOR) === 0) {
    draft.drop |= FORWARDED_FOR;
    draft.added += `x-forwarded-for: ${from.peerAddress}\r\n`;
  }
  if ((trusted & FORWARDED_PROTO) === 0) {
    draft.drop |= FORWARDED_PROTO;
    draft.added += from.scheme === 'https' ? 'x-forwarded-proto: https\r\n' : 'x-forwarded-proto: http\r\n';
  }
  if ((trusted & FORWARDED_HOST) === 0) {
    draft.drop |= FORWARDED_HOST;
    const needed = !from.trustForwarded || draft.hostRewrite !== undefined;
    if (needed && head.authority !== '') draft.added += `x-forwarded-host: ${head.authority}\r\n`;
  }
}
