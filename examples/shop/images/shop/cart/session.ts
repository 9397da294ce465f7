import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const COOKIE = 'shop-cart';
const MAX_AGE_SECONDS = 7 * 24 * 3600;

export function newSession(): string {
  return randomBytes(16).toString('hex');
}

/** The cookie of a session, signed, so that nobody reads another's cart by guessing. */
export function sessionCookie(session: string, key: string): string {
  return `${COOKIE}=${session}.${sign(session, key)}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${MAX_AGE_SECONDS}`;
}

/** The session of a Cookie header, or undefined when there is none with our signature. */
export function readSession(cookies: string | undefined, key: string): string | undefined {
  const value = /(?:^|;\s*)shop-cart=([0-9a-f]{32})\.([0-9a-f]{64})(?:;|$)/.exec(cookies ?? '');
  const [, session = '', signature = ''] = value ?? [];
  if (session === '') return undefined;
  const wanted = Buffer.from(sign(session, key), 'hex');
  return timingSafeEqual(wanted, Buffer.from(signature, 'hex')) ? session : undefined;
}

function sign(session: string, key: string): string {
  return createHmac('sha256', key).update(session).digest('hex');
}
