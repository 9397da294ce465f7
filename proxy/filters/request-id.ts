import { REQUEST_ID } from '../http1/field-kind.ts';
import { drawHex } from './random-hex.ts';
import type { RequestDraft } from './request-draft.ts';

const MAX_ID_BYTES = 128;
const SOUND_ID = /^[\x21-\x7e]+$/;

/** Keeps a sound x-request-id, so that one id follows a request through every hop, or gives it one; of two nobody knows which is meant. */
export function requestId(draft: RequestDraft): void {
  const { fields } = draft.head;
  const given = (fields.repeated & REQUEST_ID) === 0 ? fields.valueOf(REQUEST_ID) : undefined;
  if (given !== undefined && given.length <= MAX_ID_BYTES && SOUND_ID.test(given)) {
    draft.requestId = given;
    return;
  }
  draft.requestId = drawHex(16);
  draft.drop |= REQUEST_ID;
  draft.added += `x-request-id: ${draft.requestId}\r\n`;
}
