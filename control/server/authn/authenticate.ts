import type { TLSSocket } from 'node:tls';
import { ApiError } from '../../../api/meta/api-error.ts';
import type { Clock } from '../../../kit/clock.ts';
import type { Logger } from '../../../kit/log.ts';
import type { NodeCredentials } from '../nodes/node-credentials.ts';
import { certificateUser, isWithinValidity } from './certificate-user.ts';
import { API_AUDIENCES } from './service-account-token.ts';
import type { TokenAuthenticator } from './token-authenticator.ts';
import { ANONYMOUS, nodeOf, type User } from './user.ts';

export interface Credentials {
  readonly socket: TLSSocket;
  readonly authorization: string | undefined;
}

export interface Authenticators {
  readonly tokens: TokenAuthenticator;
  readonly nodes: NodeCredentials;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Who sent a request: by client certificate, else by bearer token, else nobody. A credential that is given and not good
 * is 401, never anonymous.
 */
export async function authenticate(
  { socket, authorization }: Credentials,
  { tokens, nodes, clock, log }: Authenticators,
): Promise<User> {
  const certificate = socket.getPeerCertificate();
  if (Object.keys(certificate).length > 0) {
    const user = certificateUser(certificate);
    if (!socket.authorized)
      throw refused(`client certificate is not of our authority: ${String(socket.authorizationError)}`);
    if (user === undefined) throw refused('client certificate names nobody: it has no common name');
    if (!isWithinValidity(certificate, clock.now())) {
      const { valid_from: from, valid_to: to } = certificate;
      throw refused(`client certificate of ${JSON.stringify(user.name)} is valid from ${from} to ${to}`);
    }
    const node = nodeOf(user);
    const problem = node === undefined ? undefined : await nodes.problem(certificate, node);
    if (node === undefined || problem === undefined) return user;
    // An agent that is shut out asks again and again.
    if (nodes.isNews(node)) log.warn({ node, reason: problem }, 'certificate of a node refused');
    throw refused(`certificate of node ${node}: ${problem}`, problem);
  }
  if (authorization === undefined) return ANONYMOUS;
  const [, token] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
  if (token === undefined) throw refused('authorization header: "Bearer TOKEN" was wanted');
  const answer = await tokens.authenticate(token, API_AUDIENCES);
  if (!answer.ok) throw refused(`token: ${answer.reason}`, answer.proven === true ? answer.reason : undefined);
  return answer.user;
}

/** The reason goes to the log; `told` to whoever has proven to hold the credential, and only to them. */
function refused(reason: string, told?: string): ApiError {
  return ApiError.unauthorized({ cause: reason, told });
}
