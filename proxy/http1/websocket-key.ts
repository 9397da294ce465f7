import { createHash, randomBytes } from 'node:crypto';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** For a handshake that we begin ourselves (RFC 6455 section 4.1). */
export function websocketKey(): string {
  return randomBytes(16).toString('base64');
}

/** What the other side has to answer it with, to show that it understood (section 4.2.2). */
export function websocketAccept(key: string): string {
  return createHash('sha1').update(`${key}${GUID}`).digest('base64');
}
