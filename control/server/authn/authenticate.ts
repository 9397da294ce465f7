import type { TLSSocket } from 'node:tls';
import { ApiError } from '../../../api/meta/api-error.ts';
import type { Clock } from '../../../kit/clock.ts';
import { certificateUser, isWithinValidity } from './certificate-user.ts';
import { API_AUDIENCES } from './service-account-token.ts';
import type { TokenAuthenticator } from './token-authenticator.ts';
import { ANONYMOUS, type User } from './user.ts';

export interface Credentials {
  readonly socket: TLSSocket;
  readonly authorization: string | undefined;
}

/**
 * Who sent a request: by client certificate, else by bearer token, else nobody. A credential that is given and not good
 * is 401, never anonymous.
 */
export async function authenticate(
  { socket, authorization }: Credentials,
  { tokens, clock }: { readonly tokens: TokenAuthenticator; readonly clock: Clock },
): Promise<User> {
  const certificate = socket.getPeerCertificate();
  if (Object.keys(certificate).length > 0) {
    const user = certificateUser(certificate);
    if (!socket.authorized || user === undefined || !isWithinValidity(certificate, clock.now())) {
      throw ApiError.unauthorized();
    }
    return user;
  }
  if (authorization === undefined) return ANONYMOUS;
  const [, token] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
  if (token === undefined) throw ApiError.unauthorized();
  const answer = await tokens.authenticate(token, API_AUDIENCES);
  if (!answer.ok) throw ApiError.unauthorized();
  return answer.user;
}
